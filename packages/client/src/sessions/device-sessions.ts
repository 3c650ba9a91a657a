import {
  archiveForReset,
  beginSession,
  canSend,
  decodeSessionRecord,
  encodeSessionRecord,
  identityOf,
  type Kept,
  type LocalDevice,
  PADDED_WITH_KEYS_BYTES_MIN,
  type SessionContext,
  type UndecryptableCause as SessionFailure,
  SessionSteps,
} from "@parley/crypto";
import {
  ErrorCode,
  fromHex,
  type PrekeyBundle,
  type PrekeysHeld,
  ProtocolError,
} from "@parley/protocol";
import type { Connection } from "../connection/connection.ts";
import type { Directory, ListedDevice } from "../directory/directory.ts";
import type { Clock } from "../ports/clock.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { Random } from "../ports/random.ts";
import type { StateNumber } from "../store/state-number.ts";
import type { Transaction, Transactor } from "../store/transactor.ts";
import { addressKey, type DeviceAddress } from "./device-address.ts";
import type { PrekeyStock } from "./prekey-stock.ts";
import { readSession, SESSIONS_TABLE, SessionRows } from "./session-rows.ts";
import {
  type Decrypted,
  type EncryptOptions,
  InvalidBundleError,
  NoSessionError,
  type Sessions,
  type UndecryptableCause,
} from "./sessions.ts";

export interface SessionsParts {
  readonly transactor: Transactor;
  readonly crypto: CryptoRunner;
  readonly clock: Clock;
  readonly random: Random;
  readonly connection: Pick<Connection, "request">;
  readonly directory: Pick<Directory, "device">;
  readonly prekeys: PrekeyStock;
  readonly stateNumber: StateNumber;
  local(): LocalDevice;
}

/** Sessions of this device, in its store. */
export class DeviceSessions implements Sessions {
  readonly #parts: SessionsParts;
  readonly #rows: SessionRows;
  readonly #steps: SessionSteps<Transaction>;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#rows = new SessionRows(parts);
    const run: CryptoRunner["run"] = (operation) => parts.crypto.run(operation);
    this.#steps = new SessionSteps({ store: this.#rows, run });
  }

  async has(tx: Transaction, to: DeviceAddress): Promise<boolean> {
    const device = await this.#parts.directory.device(tx, to);
    if (device === undefined) return false;
    return canSend(
      await readSession(tx, addressKey(to)),
      identityOf(device.identityKey),
      this.#parts.clock.now(),
    );
  }

  async encrypt(
    tx: Transaction,
    to: DeviceAddress,
    content: Uint8Array,
    { carriesKeys = false }: EncryptOptions = {},
  ): Promise<Kept<Uint8Array>> {
    const device = await this.#parts.directory.device(tx, to);
    if (device === undefined) throw new NoSessionError(addressKey(to));
    const padding = { atLeast: carriesKeys ? PADDED_WITH_KEYS_BYTES_MIN : 0 };
    const staged = await this.#steps.encrypt(tx, this.#contextOf(device), content, padding);
    if (staged === undefined) throw new NoSessionError(addressKey(to));
    return await staged.commit(tx);
  }

  async decrypt(tx: Transaction, from: DeviceAddress, ciphertext: Uint8Array): Promise<Decrypted> {
    const device = await this.#parts.directory.device(tx, from);
    if (device === undefined) return undecryptable("unknown-device");
    const outcome = await this.#steps.decrypt(tx, this.#contextOf(device), ciphertext);
    switch (outcome.kind) {
      case "content":
        return { kind: "content", content: await outcome.content.commit(tx) };
      case "repeat":
        return outcome;
      case "undecryptable":
        return undecryptable(causeOf(outcome.cause));
    }
  }

  async fetchMissing(to: readonly DeviceAddress[]): Promise<readonly DeviceAddress[]> {
    const missing = await this.#without(to);
    for (const [accountId, devices] of Map.groupBy(missing, ({ accountId }) => accountId))
      await this.#fetchAndBegin(accountId, devices, "where-missing");
    return await this.#without(missing);
  }

  async begin(tx: Transaction, to: DeviceAddress, bundle: PrekeyBundle): Promise<void> {
    const device = await this.#parts.directory.device(tx, to);
    if (device === undefined) throw new InvalidBundleError("the device is not listed");
    if (device.registrationId !== bundle.registrationId)
      throw new InvalidBundleError("another registration id than the list has");
    const record = await readSession(tx, addressKey(to));
    const context = this.#contextOf(device);
    const begun = await this.#parts.crypto.run(beginSession(record, context, bundle));
    if (begun.kind === "refused") throw new InvalidBundleError(begun.reason);
    const step = { record: begun.record, handshake: undefined };
    await this.#rows.write(tx, context.remote, step);
  }

  async renew(to: DeviceAddress): Promise<boolean> {
    return (await this.#fetchAndBegin(to.accountId, [to], "anew")) === 1;
  }

  async forget(tx: Transaction, device: DeviceAddress): Promise<void> {
    tx.delete(SESSIONS_TABLE, addressKey(device));
  }

  /**
   * This device was rolled back (trust.md 7): no session of before sends again, and the prekeys that the
   * server holds are replaced.
   */
  async reset(tx: Transaction, held: PrekeysHeld): Promise<void> {
    const nowMs = this.#parts.clock.now();
    for (const { key, value } of await tx.range(SESSIONS_TABLE, {}))
      tx.put(
        SESSIONS_TABLE,
        key,
        encodeSessionRecord(archiveForReset(decodeSessionRecord(value), nowMs)),
      );
    await this.#parts.prekeys.abandon(tx, held);
  }

  async #without(addresses: readonly DeviceAddress[]): Promise<readonly DeviceAddress[]> {
    return await this.#parts.transactor.transact(async (tx) => {
      const missing: DeviceAddress[] = [];
      for (const address of addresses) if (!(await this.has(tx, address))) missing.push(address);
      return missing;
    });
  }

  /** How many sessions were begun. */
  async #fetchAndBegin(
    accountId: string,
    devices: readonly DeviceAddress[],
    when: "where-missing" | "anew",
  ): Promise<number> {
    let count = 0;
    for (const bundle of await this.#bundles(accountId, devices)) {
      const to = devices.find(({ deviceId }) => deviceId === bundle.deviceId);
      if (to === undefined) continue;
      const begun = await this.#parts.transactor
        .transact(async (tx) => {
          // While the bundle was under way, a message may have begun one.
          if (when === "anew" || !(await this.has(tx, to))) await this.begin(tx, to, bundle);
          return 1;
        })
        .catch((cause: unknown) => {
          if (cause instanceof InvalidBundleError) return 0;
          throw cause;
        });
      count += begun;
    }
    return count;
  }

  async #bundles(
    accountId: string,
    devices: readonly DeviceAddress[],
  ): Promise<readonly PrekeyBundle[]> {
    try {
      const { bundles } = await this.#parts.connection.request("fetchPrekeyBundles", {
        accountId: fromHex(accountId),
        deviceIds: devices.map(({ deviceId }) => deviceId),
      });
      return bundles;
    } catch (cause) {
      if (cause instanceof ProtocolError && cause.code === ErrorCode.NOT_FOUND) return [];
      throw cause;
    }
  }

  #contextOf({ address, identityKey }: ListedDevice): SessionContext {
    const remote = {
      accountId: fromHex(address.accountId),
      deviceId: address.deviceId,
      identity: identityOf(identityKey),
    };
    const { clock, local, random } = this.#parts;
    return { local: local(), remote, nowMs: clock.now(), random };
  }
}

function undecryptable(cause: UndecryptableCause): Decrypted {
  return { kind: "undecryptable", cause };
}

function causeOf(failure: SessionFailure): UndecryptableCause {
  switch (failure) {
    case "no-session":
    case "unknown-prekey":
    case "unknown-kind":
      return failure;
    case "identity-mismatch":
      return "wrong-identity";
    default:
      return "invalid";
  }
}
