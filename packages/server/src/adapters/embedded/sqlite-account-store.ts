import type { DatabaseSync } from "node:sqlite";
import { toHex } from "@parley/protocol";
import type {
  Account,
  AccountStore,
  ChainStep,
  ListedDevice,
  StoredEntry,
} from "../../ports/account-store.ts";
import { AccountCache } from "./account-cache.ts";
import type { GroupCommit } from "./group-commit.ts";

/** As many as the answer of a chain may hold. */
const ENTRIES_MAX = 256;

/** What hangs on a device elsewhere in the same file, and begins and ends in the same commit. */
export interface DeviceRows {
  begin(accountId: string, deviceId: number): void;
  end(accountId: string, deviceId: number): void;
}

/** Of the same file, and changed in the same commits. */
export interface AccountStoreParts {
  readonly deviceRows: readonly DeviceRows[];
  readonly invitations: { spend(hash: Uint8Array): boolean };
}

type AccountRow = {
  readonly handle: string | null;
  readonly root_key: Uint8Array;
  readonly era: number;
  readonly version: number;
  readonly hash: Uint8Array;
};
type DeviceRow = {
  readonly device: number;
  readonly identity_key: Uint8Array;
  readonly registration_id: number;
  readonly consent: Uint8Array;
  readonly sealed_name: Uint8Array;
  readonly added_at_ms: number;
};
type EntryRow = {
  readonly era: number;
  readonly version: number;
  readonly signed_by_root: number;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
};

export class SqliteAccountStore implements AccountStore {
  readonly #commit: GroupCommit;
  readonly #parts: AccountStoreParts;
  readonly #sql: ReturnType<typeof statements>;
  readonly #cached = new AccountCache();

  constructor(db: DatabaseSync, commit: GroupCommit, parts: AccountStoreParts) {
    this.#commit = commit;
    this.#parts = parts;
    this.#sql = statements(db);
  }

  async create(
    account: Account,
    entries: readonly StoredEntry[],
    invitation?: Uint8Array,
  ): Promise<"created" | "exists" | "handle-taken" | "invitation-refused"> {
    const value = await this.#commit.join(() => {
      const { accountId, handle, rootKey, head } = account;
      if (this.#sql.find.get(accountId) !== undefined) return "exists";
      if (handle !== undefined && this.#sql.idOfHandle.get(handle) !== undefined)
        return "handle-taken";
      if (invitation !== undefined && !this.#parts.invitations.spend(invitation))
        return "invitation-refused";
      this.#sql.insert.run(
        ...[accountId, handle ?? null, rootKey, head.era, head.version, head.hash],
      );
      for (const entry of entries) this.#insertEntry(accountId, entry);
      this.#setDevices(accountId, [], account.devices);
      return "created";
    });
    return value;
  }

  async find(accountId: string): Promise<Account | undefined> {
    const cached = this.#cached.get(accountId);
    if (cached !== undefined) return cached;
    const account = this.#read(accountId);
    if (account === undefined) return undefined;
    this.#cached.set(account);
    return account;
  }

  async idOfHandle(handle: string): Promise<string | undefined> {
    return this.#sql.idOfHandle.get(handle)?.["id"] as string | undefined;
  }

  async count(): Promise<number> {
    return this.#sql.count.get()?.["accounts"] as number;
  }

  async entries(
    accountId: string,
    from?: { readonly era: number; readonly version: number },
  ): Promise<readonly StoredEntry[]> {
    const { era, version } = from ??
      (this.#sql.newestRoot.get(accountId) as EntryRow | undefined) ?? { era: 0, version: 0 };
    const rows = this.#sql.entries.all(accountId, era, version, ENTRIES_MAX) as EntryRow[];
    return rows.map((row) => ({
      era: row.era,
      version: row.version,
      signedByRoot: row.signed_by_root === 1,
      body: row.body,
      signature: row.signature,
    }));
  }

  async append({
    accountId,
    after,
    entry,
    head,
    devices,
  }: ChainStep): Promise<"appended" | "superseded"> {
    const value = await this.#commit.join(() => {
      const { changes } = this.#sql.move.run(
        ...[head.era, head.version, head.hash, accountId, after],
      );
      if (changes === 0) return "superseded";
      this.#cached.delete(accountId);
      this.#insertEntry(accountId, entry);
      this.#setDevices(accountId, this.#devices(accountId), devices);
      return "appended";
    });
    return value;
  }

  async setProfile(accountId: string, sealed: Uint8Array): Promise<void> {
    await this.#commit.join(() => this.#sql.setProfile.run(sealed, accountId));
  }

  async profile(accountId: string): Promise<Uint8Array> {
    const sealed = this.#sql.profile.get(accountId)?.["sealed_profile"];
    return (sealed as Uint8Array | null | undefined) ?? new Uint8Array();
  }

  #read(accountId: string): Account | undefined {
    const row = this.#sql.find.get(accountId) as AccountRow | undefined;
    if (row === undefined) return undefined;
    return {
      accountId,
      rootKey: row.root_key,
      handle: row.handle ?? undefined,
      head: { era: row.era, version: row.version, hash: row.hash },
      devices: this.#devices(accountId),
    };
  }

  #devices(accountId: string): readonly ListedDevice[] {
    const rows = this.#sql.devices.all(accountId) as DeviceRow[];
    return rows.map((row) => ({
      deviceId: row.device,
      identityKey: row.identity_key,
      registrationId: row.registration_id,
      consent: row.consent,
      sealedName: row.sealed_name,
      addedAtMs: row.added_at_ms,
    }));
  }

  #insertEntry(accountId: string, entry: StoredEntry): void {
    const { era, version, signedByRoot, body, signature } = entry;
    this.#sql.insertEntry.run(...[accountId, era, version, signedByRoot ? 1 : 0, body, signature]);
  }

  #setDevices(
    accountId: string,
    before: readonly ListedDevice[],
    after: readonly ListedDevice[],
  ): void {
    // The key is the device: another one under an old id is new.
    const name = ({ deviceId, identityKey }: ListedDevice) => `${deviceId} ${toHex(identityKey)}`;
    const stays = new Set(after.map(name));
    const stayed = new Set(before.map(name));
    for (const device of before) {
      this.#sql.removeDevice.run(accountId, device.deviceId);
      if (!stays.has(name(device)))
        for (const rows of this.#parts.deviceRows) rows.end(accountId, device.deviceId);
    }
    for (const device of after) {
      const { deviceId, identityKey, registrationId, consent, sealedName, addedAtMs } = device;
      this.#sql.insertDevice.run(
        ...[accountId, deviceId, identityKey, registrationId, consent, sealedName, addedAtMs],
      );
      if (!stayed.has(name(device)))
        for (const rows of this.#parts.deviceRows) rows.begin(accountId, deviceId);
    }
  }
}

function statements(db: DatabaseSync) {
  return {
    find: db.prepare("SELECT handle, root_key, era, version, hash FROM accounts WHERE id = ?"),
    idOfHandle: db.prepare("SELECT id FROM accounts WHERE handle = ?"),
    count: db.prepare("SELECT count(*) AS accounts FROM accounts"),
    insert: db.prepare(
      "INSERT INTO accounts (id, handle, root_key, era, version, hash) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    move: db.prepare(
      "UPDATE accounts SET era = ?, version = ?, hash = ? WHERE id = ? AND hash = ?",
    ),
    newestRoot: db.prepare(`SELECT era, version FROM account_entries
      WHERE account = ? AND signed_by_root = 1 ORDER BY era DESC, version DESC LIMIT 1`),
    entries: db.prepare(`SELECT era, version, signed_by_root, body, signature FROM account_entries
      WHERE account = ? AND (era, version) >= (?, ?) ORDER BY era, version LIMIT ?`),
    insertEntry: db.prepare(`INSERT INTO account_entries
      (account, era, version, signed_by_root, body, signature) VALUES (?, ?, ?, ?, ?, ?)`),
    devices: db.prepare("SELECT * FROM devices WHERE account = ? ORDER BY device"),
    removeDevice: db.prepare("DELETE FROM devices WHERE account = ? AND device = ?"),
    insertDevice: db.prepare(`INSERT INTO devices
      (account, device, identity_key, registration_id, consent, sealed_name, added_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)`),
    setProfile: db.prepare("UPDATE accounts SET sealed_profile = ? WHERE id = ?"),
    profile: db.prepare("SELECT sealed_profile FROM accounts WHERE id = ?"),
  };
}
