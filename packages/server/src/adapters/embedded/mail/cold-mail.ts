import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { bytesOfHex, hexOf } from "../../../lib/bytes.ts";
import type { StoredEnvelope } from "../../../ports/mailbox-store.ts";
import type { HotRow, Mailbox, MailboxBegin } from "./mailbox.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

type Found = {
  readonly position: number;
  readonly id: Uint8Array;
  readonly source: Uint8Array;
  readonly checksum: number;
  readonly bytes: Uint8Array;
};
type State = {
  readonly account: string;
  readonly device: number;
  readonly state_number: bigint;
  readonly skipped: bigint;
  readonly seen_at_ms: bigint;
  readonly number: bigint;
};

/** A row that lies in the store. */
export class ColdRow {
  readonly position: number;
  readonly source: string;
  readonly size: number;

  constructor({ position, source, bytes }: Found) {
    this.position = position;
    this.source = hexOf(source);
    this.size = bytes.length;
  }
}

export interface ColdEnvelope extends StoredEnvelope {
  readonly row: ColdRow;
}

export interface ColdPage {
  readonly envelopes: readonly ColdEnvelope[];
  /** Positions of rows whose checksum does not hold. */
  readonly damaged: readonly number[];
  /** Where the next page begins. */
  readonly position: number;
}

/** Mailboxes, and the rows that were not fetched soon, in the store. Every change runs within its commits. */
export class ColdMail {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  begin(accountId: string, deviceId: number, seenDay: number): void {
    this.#sql.begin.run(accountId, deviceId, seenDay * DAY_MS);
  }

  end(mailbox: number): void {
    this.#sql.endMail.run(mailbox);
    this.#sql.end.run(mailbox);
  }

  exists(mailbox: number): boolean {
    return this.#sql.byNumber.get(mailbox) !== undefined;
  }

  find(accountId: string, deviceId: number): MailboxBegin | undefined {
    return this.#begin(this.#sql.byDevice.get(accountId, deviceId) as State | undefined);
  }

  findByNumber(mailbox: number): MailboxBegin | undefined {
    return this.#begin(this.#sql.byNumber.get(mailbox) as State | undefined);
  }

  save({ number, stateNumber, isSkipped, seenDay }: Mailbox): void {
    this.#sql.save.run(stateNumber, isSkipped ? 1 : 0, seenDay * DAY_MS, number);
  }

  insert(mailbox: number, row: HotRow): void {
    const { position, envelopeId, source, acceptedAtMs, bytes } = row;
    const [id, from] = [bytesOfHex(envelopeId), bytesOfHex(source)];
    const checksum = checksumOf(mailbox, { position, id, source: from, bytes });
    this.#sql.insert.run(...[mailbox, position, id, from, acceptedAtMs, checksum, bytes]);
  }

  remove(mailbox: number, position: number): void {
    this.#sql.remove.run(mailbox, position);
  }

  has(mailbox: number, position: number): boolean {
    return this.#sql.has.get(mailbox, position) !== undefined;
  }

  /** The bytes of the row with that envelope id. */
  bytesWithId(mailbox: number, envelopeId: string): Uint8Array | undefined {
    return this.#sql.byId.get(mailbox, bytesOfHex(envelopeId))?.["bytes"] as Uint8Array | undefined;
  }

  read(
    mailbox: number,
    after: number,
    { limit, bytesMax }: { limit: number; bytesMax: number },
  ): ColdPage {
    const envelopes: ColdEnvelope[] = [];
    const damaged: number[] = [];
    let position = after;
    let size = 0;
    for (const each of this.#sql.read.iterate(mailbox, after, limit)) {
      const found = each as Found;
      position = found.position;
      if (found.checksum !== checksumOf(mailbox, found)) damaged.push(found.position);
      else envelopes.push({ row: new ColdRow(found), bytes: found.bytes });
      size += found.bytes.length;
      if (size >= bytesMax) break;
    }
    return { envelopes, damaged, position };
  }

  /** Of all mailboxes; from the index, so that it is a matter of milliseconds. */
  count(): number {
    return this.#sql.count.get()?.["rows"] as number;
  }

  countBySource(mailbox: number): Map<string, number> {
    const counted = new Map<string, number>();
    for (const row of this.#sql.bySource.all(mailbox))
      counted.set(hexOf(row["source"] as Uint8Array), row["rows"] as number);
    return counted;
  }

  /** Numbers of mailboxes, by rising number. */
  numbersAfter(mailbox: number, limit: number): readonly number[] {
    return this.#sql.numbers.all(mailbox, limit).map((row) => row["number"] as number);
  }

  /** The oldest rows of a mailbox that were accepted before that time. */
  expired(mailbox: number, beforeMs: number, limit: number): readonly ExpiredRow[] {
    const oldest = this.#sql.oldest.all(mailbox, limit) as unknown as (ExpiredRow & {
      accepted_at_ms: number;
    })[];
    const kept = oldest.findIndex(({ accepted_at_ms }) => accepted_at_ms >= beforeMs);
    return kept === -1 ? oldest : oldest.slice(0, kept);
  }

  #begin(state: State | undefined): MailboxBegin | undefined {
    if (state === undefined) return undefined;
    const number = Number(state.number);
    const usage = this.#sql.usage.get(number);
    return {
      key: mailboxKey(state.account, Number(state.device)),
      number,
      stateNumber: state.state_number,
      isSkipped: state.skipped === 1n,
      seenDay: Number(state.seen_at_ms) / DAY_MS,
      coldCount: usage?.["rows"] as number,
      coldBytes: (usage?.["bytes"] as number | null) ?? 0,
    };
  }
}

export interface ExpiredRow {
  readonly position: number;
  readonly source: Uint8Array;
  readonly size: number;
}

export const mailboxKey = (accountId: string, deviceId: number): string =>
  `${accountId}.${deviceId}`;

/** Covers where the row belongs too: a row that turns up in another mailbox is damaged. */
export function checksumOf(
  mailbox: number,
  { position, id, source, bytes }: Pick<Found, "position" | "id" | "source" | "bytes">,
): number {
  const head = Buffer.allocUnsafe(10);
  head.writeUInt32LE(mailbox, 0);
  head.writeUIntLE(position, 4, 6);
  return crc32(bytes, crc32(source, crc32(id, crc32(head))));
}

function statements(db: DatabaseSync) {
  const state = "SELECT number, account, device, state_number, skipped, seen_at_ms FROM mailboxes";
  const byNumber = db.prepare(`${state} WHERE number = ?`);
  const byDevice = db.prepare(`${state} WHERE account = ? AND device = ?`);
  for (const each of [byNumber, byDevice]) each.setReadBigInts(true);
  return {
    byNumber,
    byDevice,
    begin: db.prepare("INSERT INTO mailboxes (account, device, seen_at_ms) VALUES (?, ?, ?)"),
    end: db.prepare("DELETE FROM mailboxes WHERE number = ?"),
    endMail: db.prepare("DELETE FROM mail WHERE mailbox = ?"),
    save: db.prepare(`UPDATE mailboxes SET state_number = max(state_number, ?), skipped = ?,
      seen_at_ms = max(seen_at_ms, ?) WHERE number = ?`),
    insert: db.prepare(`INSERT OR REPLACE INTO mail
      (mailbox, position, id, source, accepted_at_ms, checksum, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    remove: db.prepare("DELETE FROM mail WHERE mailbox = ? AND position = ?"),
    has: db.prepare("SELECT 1 FROM mail WHERE mailbox = ? AND position = ?"),
    // By name: without statistics the planner might walk all rows of the mailbox.
    byId: db.prepare("SELECT bytes FROM mail INDEXED BY mail_by_id WHERE mailbox = ? AND id = ?"),
    read: db.prepare(`SELECT position, id, source, checksum, bytes FROM mail
      WHERE mailbox = ? AND position > ? ORDER BY position LIMIT ?`),
    usage: db.prepare(
      "SELECT count(*) AS rows, sum(length(bytes)) AS bytes FROM mail WHERE mailbox = ?",
    ),
    count: db.prepare("SELECT count(*) AS rows FROM mail"),
    bySource: db.prepare(
      "SELECT source, count(*) AS rows FROM mail WHERE mailbox = ? GROUP BY source",
    ),
    numbers: db.prepare("SELECT number FROM mailboxes WHERE number > ? ORDER BY number LIMIT ?"),
    oldest: db.prepare(`SELECT position, source, accepted_at_ms, length(bytes) AS size FROM mail
      WHERE mailbox = ? ORDER BY position LIMIT ?`),
  };
}
