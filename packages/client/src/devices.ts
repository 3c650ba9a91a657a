import { create } from "@bufbuild/protobuf";
import { CryptoError, openDeviceName, signDeviceEntry } from "@parley/crypto";
import { AccountChangeSchema, fromHex, RemoveDeviceSchema, toHex } from "@parley/protocol";
import { MessengerError, type ShownDevice } from "./api.ts";
import type { ListedDevice } from "./directory/directory.ts";
import { ownAddress, type Parts } from "./parts.ts";
import type { Transaction } from "./store/transaction.ts";

/** When a device was first seen in the own list, by its identity key. */
const SEEN = "device-seen/";
const TIME_BYTES = 8;

/** The devices of this account, as its list has them now. */
export class Devices {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async all(): Promise<readonly ShownDevice[]> {
    const { deviceId: own } = ownAddress(this.#parts);
    const { identity } = this.#parts.device;
    return await this.#parts.device.transactor.transact(async (tx) => {
      const shown: ShownDevice[] = [];
      for (const device of await this.#listed(tx)) {
        const { deviceId } = device.address;
        const thisDevice = deviceId === own;
        shown.push({
          deviceId,
          name: this.#nameOf(device),
          linkedAtMs: thisDevice ? identity.createdAtMs : await this.#seenAt(tx, device),
          thisDevice,
        });
      }
      return shown;
    });
  }

  /** Notes the time at which each is seen first. */
  async look(): Promise<void> {
    await this.#parts.device.transactor.transact(async (tx) => {
      for (const device of await this.#listed(tx)) await this.#seenAt(tx, device);
    });
  }

  async remove(deviceId: number): Promise<void> {
    const own = ownAddress(this.#parts);
    if (deviceId === own.deviceId)
      throw new MessengerError("not-allowed", "a device does not remove itself: use another one");
    const { directory, identity } = this.#parts.device;
    const value = create(RemoveDeviceSchema, { deviceId });
    const change = create(AccountChangeSchema, { change: { case: "removeDevice", value } });
    const signer = { deviceId: own.deviceId, keys: identity.keys };
    try {
      await directory.changeOwn((state) => signDeviceEntry(signer, state, [change]));
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new MessengerError("not-allowed", `there is no device ${deviceId}`, { cause });
    }
  }

  async #listed(tx: Transaction): Promise<readonly ListedDevice[]> {
    const { accountId } = ownAddress(this.#parts);
    return (await this.#parts.device.directory.account(tx, accountId))?.devices ?? [];
  }

  /** Undefined where it has none, and where the key to it has not been handed over. */
  #nameOf({ address, sealedName }: ListedDevice): string | undefined {
    const { backupKey } = this.#parts.device.identity.sharedSecrets();
    if (backupKey.length === 0 || sealedName.length === 0) return undefined;
    const { accountId, deviceId } = address;
    try {
      const key = { backupKey, accountId: fromHex(accountId), deviceId };
      return openDeviceName(key, sealedName) || undefined;
    } catch (cause) {
      // Whatever a device of this account wrote there, it is no name.
      if (cause instanceof CryptoError) return undefined;
      throw cause;
    }
  }

  async #seenAt(tx: Transaction, { identityKey }: ListedDevice): Promise<number> {
    const key = SEEN + toHex(identityKey);
    const row = await tx.get("vault-settings", key);
    if (row !== undefined) return Number(new DataView(row.buffer, row.byteOffset).getBigUint64(0));
    const nowMs = this.#parts.clock.now();
    const time = new Uint8Array(TIME_BYTES);
    new DataView(time.buffer).setBigUint64(0, BigInt(nowMs));
    tx.put("vault-settings", key, time);
    return nowMs;
  }
}
