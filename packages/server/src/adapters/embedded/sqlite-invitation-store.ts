import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../ports/clock.ts";
import type { Invitation, InvitationStore, NewInvitation } from "../../ports/invitation-store.ts";
import type { GroupCommit } from "./group-commit.ts";

type Row = {
  readonly number: number;
  readonly uses: number;
  readonly uses_left: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
};

/** A row that may not be used any more says nothing, and goes. */
export class SqliteInvitationStore implements InvitationStore {
  readonly #commit: GroupCommit;
  readonly #clock: Clock;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync, commit: GroupCommit, clock: Clock) {
    this.#commit = commit;
    this.#clock = clock;
    this.#sql = statements(db);
  }

  create({ hash, uses, expiresAtMs }: NewInvitation): Promise<number> {
    return this.#commit.join(() => {
      const now = this.#clock.now();
      this.#sql.dropExpired.run(now);
      const values = [hash, uses, uses, now, expiresAtMs ?? null] as const;
      return Number(this.#sql.insert.run(...values).lastInsertRowid);
    });
  }

  async all(): Promise<readonly Invitation[]> {
    return (this.#sql.all.all(this.#clock.now()) as Row[]).map((row) => ({
      id: row.number,
      uses: row.uses,
      usesLeft: row.uses_left,
      createdAtMs: row.created_at_ms,
      expiresAtMs: row.expires_at_ms ?? undefined,
    }));
  }

  revoke(id: number): Promise<boolean> {
    return this.#commit.join(() => {
      this.#sql.dropExpired.run(this.#clock.now());
      return this.#sql.drop.run(id).changes > 0;
    });
  }

  /** Within a commit of the caller's: one use is gone with it. False: the invitation does not hold. */
  spend(hash: Uint8Array): boolean {
    const found = this.#sql.find.get(hash, this.#clock.now()) as Row | undefined;
    if (found === undefined) return false;
    if (found.uses_left === 1) this.#sql.drop.run(found.number);
    else this.#sql.use.run(found.number);
    return true;
  }
}

function statements(db: DatabaseSync) {
  const open = "(expires_at_ms IS NULL OR expires_at_ms > ?)";
  return {
    insert: db.prepare(`INSERT INTO invitations
      (hash, uses, uses_left, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)`),
    all: db.prepare(`SELECT * FROM invitations WHERE ${open} ORDER BY number`),
    find: db.prepare(`SELECT * FROM invitations WHERE hash = ? AND ${open}`),
    use: db.prepare("UPDATE invitations SET uses_left = uses_left - 1 WHERE number = ?"),
    drop: db.prepare("DELETE FROM invitations WHERE number = ?"),
    dropExpired: db.prepare("DELETE FROM invitations WHERE expires_at_ms <= ?"),
  };
}
