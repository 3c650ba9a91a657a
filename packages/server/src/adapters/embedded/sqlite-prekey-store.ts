import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { ErrorCode, equalBytes, ProtocolError } from "@parley/protocol";
import type { Clock } from "../../ports/clock.ts";
import type { DeviceAddress } from "../../ports/device-address.ts";
import type {
  ClaimedPrekeys,
  HeldPrekeys,
  PrekeyStore,
  PrekeyUpload,
  StoredOneTimePrekey,
  StoredSignedPrekey,
} from "../../ports/prekey-store.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { DeviceRows } from "./sqlite-account-store.ts";

/** Ten uploads: enough for a popular account overnight, and 1.7 MB at most. */
export const ONE_TIME_PREKEYS_MAX = 1_000;
/** Longer than any client keeps an upload that was not answered. */
const GIVEN_LIFETIME_MS = 90 * 24 * 60 * 60 * 1000;
const SIGNED = 0;
const LAST_RESORT = 1;

type LastingRow = {
  readonly id: number;
  readonly public_key: Uint8Array;
  readonly signature: Uint8Array;
};
type OneTimeRow = {
  readonly id: number;
  readonly curve_public_key: Uint8Array;
  readonly kyber_public_key: Uint8Array;
  readonly kyber_signature: Uint8Array;
};

export class SqlitePrekeyStore implements PrekeyStore, DeviceRows {
  readonly #commit: GroupCommit;
  readonly #clock: Clock;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync, commit: GroupCommit, clock: Clock) {
    this.#commit = commit;
    this.#clock = clock;
    this.#sql = statements(db);
  }

  begin(): void {}

  end(accountId: string, deviceId: number): void {
    this.#sql.endLasting.run(accountId, deviceId);
    this.#sql.endOneTime.run(accountId, deviceId);
    this.#sql.endGiven.run(accountId, deviceId);
  }

  async upload(device: DeviceAddress, upload: PrekeyUpload): Promise<HeldPrekeys> {
    const { accountId, deviceId } = device;
    const value = await this.#commit.join(() => {
      this.#sql.dropBelow.run(accountId, deviceId, upload.dropOneTimeBelow);
      if (upload.signed) this.#setLasting(device, SIGNED, upload.signed);
      if (upload.lastResort) this.#setLasting(device, LAST_RESORT, upload.lastResort);
      for (const prekey of upload.oneTime) this.#insertOneTime(device, prekey);
      const held = this.#held(device);
      if (held.oneTimeCount > ONE_TIME_PREKEYS_MAX)
        throw new ProtocolError(
          ErrorCode.INVALID_REQUEST,
          `more than ${ONE_TIME_PREKEYS_MAX} one-time prekeys`,
        );
      return held;
    });
    return value;
  }

  async held(device: DeviceAddress): Promise<HeldPrekeys> {
    return this.#held(device);
  }

  async claim(
    devices: readonly DeviceAddress[],
    kind: "one-time" | "last-resort",
  ): Promise<readonly ClaimedPrekeys[]> {
    const lasting = () => devices.flatMap((device) => this.#bundle(device, undefined));
    if (kind === "last-resort") return lasting();
    try {
      const value = await this.#commit.join(() =>
        devices.flatMap((device) => this.#bundle(device, this.#takeLowest(device))),
      );
      return value;
    } catch (cause) {
      if (ProtocolError.from(cause).code !== ErrorCode.STORAGE_UNAVAILABLE) throw cause;
      return lasting();
    }
  }

  #bundle(device: DeviceAddress, oneTime: StoredOneTimePrekey | undefined): ClaimedPrekeys[] {
    const signed = this.#lasting(device, SIGNED);
    if (signed === undefined) return [];
    const lastResort = oneTime === undefined ? this.#lasting(device, LAST_RESORT) : undefined;
    return [{ device, signed, oneTime, lastResort }];
  }

  #takeLowest({ accountId, deviceId }: DeviceAddress): StoredOneTimePrekey | undefined {
    if (this.#sql.lasting.get(accountId, deviceId, SIGNED) === undefined) return undefined;
    const row = this.#sql.lowest.get(accountId, deviceId) as OneTimeRow | undefined;
    if (row === undefined) return undefined;
    const prekey = oneTimeOf(row);
    this.#sql.removeOneTime.run(accountId, deviceId, prekey.id);
    const now = this.#clock.now();
    this.#sql.forgetGiven.run(accountId, deviceId, now - GIVEN_LIFETIME_MS);
    this.#sql.remember.run(accountId, deviceId, prekey.id, digestOf(prekey), now);
    return prekey;
  }

  #insertOneTime({ accountId, deviceId }: DeviceAddress, prekey: StoredOneTimePrekey): void {
    const { id, curvePublicKey, kyberPublicKey, kyberSignature } = prekey;
    const found = this.#sql.oneTime.get(accountId, deviceId, id) as OneTimeRow | undefined;
    if (found !== undefined) {
      if (equalBytes(digestOf(oneTimeOf(found)), digestOf(prekey))) return;
      throw new ProtocolError(ErrorCode.INVALID_KEY, "another one-time prekey has this id");
    }
    if (this.#sql.given.get(accountId, deviceId, id, digestOf(prekey)) !== undefined) return;
    this.#sql.insertOneTime.run(
      ...[accountId, deviceId, id, curvePublicKey, kyberPublicKey, kyberSignature],
    );
  }

  #setLasting({ accountId, deviceId }: DeviceAddress, kind: number, prekey: StoredSignedPrekey) {
    const { id, publicKey, signature } = prekey;
    this.#sql.setLasting.run(...[accountId, deviceId, kind, id, publicKey, signature]);
  }

  #lasting({ accountId, deviceId }: DeviceAddress, kind: number): StoredSignedPrekey | undefined {
    const row = this.#sql.lasting.get(accountId, deviceId, kind) as LastingRow | undefined;
    return row && { id: row.id, publicKey: row.public_key, signature: row.signature };
  }

  #held(device: DeviceAddress): HeldPrekeys {
    const { accountId, deviceId } = device;
    const range = this.#sql.range.get(accountId, deviceId) as Record<string, number | null>;
    return {
      signedPrekeyId: this.#lasting(device, SIGNED)?.id ?? 0,
      lastResortPrekeyId: this.#lasting(device, LAST_RESORT)?.id ?? 0,
      lowestOneTimeId: range["lowest"] ?? 0,
      highestOneTimeId: range["highest"] ?? 0,
      oneTimeCount: range["held"] ?? 0,
    };
  }
}

function oneTimeOf(row: OneTimeRow): StoredOneTimePrekey {
  return {
    id: row.id,
    curvePublicKey: row.curve_public_key,
    kyberPublicKey: row.kyber_public_key,
    kyberSignature: row.kyber_signature,
  };
}

/** Both keys together: the signature may differ between honest uploads of the same keys. */
function digestOf({ curvePublicKey, kyberPublicKey }: StoredOneTimePrekey): Uint8Array {
  return createHash("sha256").update(curvePublicKey).update(kyberPublicKey).digest();
}

function statements(db: DatabaseSync) {
  const device = "account = ? AND device = ?";
  return {
    setLasting: db.prepare(`INSERT INTO lasting_prekeys
      (account, device, kind, id, public_key, signature) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        id = excluded.id, public_key = excluded.public_key, signature = excluded.signature`),
    lasting: db.prepare(`SELECT id, public_key, signature FROM lasting_prekeys
      WHERE ${device} AND kind = ?`),
    insertOneTime: db.prepare(`INSERT INTO one_time_prekeys
      (account, device, id, curve_public_key, kyber_public_key, kyber_signature)
      VALUES (?, ?, ?, ?, ?, ?)`),
    oneTime: db.prepare(`SELECT * FROM one_time_prekeys WHERE ${device} AND id = ?`),
    lowest: db.prepare(`SELECT * FROM one_time_prekeys WHERE ${device} ORDER BY id LIMIT 1`),
    removeOneTime: db.prepare(`DELETE FROM one_time_prekeys WHERE ${device} AND id = ?`),
    dropBelow: db.prepare(`DELETE FROM one_time_prekeys WHERE ${device} AND id < ?`),
    range: db.prepare(`SELECT min(id) AS lowest, max(id) AS highest, count(*) AS held
      FROM one_time_prekeys WHERE ${device}`),
    remember: db.prepare(`INSERT INTO given_prekeys (account, device, id, digest, given_at_ms)
      VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    given: db.prepare(`SELECT 1 FROM given_prekeys WHERE ${device} AND id = ? AND digest = ?`),
    forgetGiven: db.prepare(`DELETE FROM given_prekeys WHERE ${device} AND given_at_ms < ?`),
    endLasting: db.prepare(`DELETE FROM lasting_prekeys WHERE ${device}`),
    endOneTime: db.prepare(`DELETE FROM one_time_prekeys WHERE ${device}`),
    endGiven: db.prepare(`DELETE FROM given_prekeys WHERE ${device}`),
  };
}
