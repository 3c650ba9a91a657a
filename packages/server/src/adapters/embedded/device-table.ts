import type { DeviceAddress } from "../../ports/device-address.ts";

interface Entry<V> {
  readonly deviceId: number;
  readonly value: V;
  readonly next: Entry<V> | undefined;
}

/**
 * Values by device, several for one where need be. By account, whose id is there already: a key for each
 * device would be as large as the entry.
 */
export class DeviceTable<V> {
  readonly #accounts = new Map<string, Entry<V>>();

  add({ accountId, deviceId }: DeviceAddress, value: V): void {
    const next = this.#accounts.get(accountId);
    this.#accounts.set(accountId, { deviceId, value, next });
  }

  /** Ignored where it is not there. */
  remove({ accountId, deviceId }: DeviceAddress, value: V): void {
    const left = without(
      this.#accounts.get(accountId),
      (entry) => entry.deviceId === deviceId && entry.value === value,
    );
    if (left === undefined) this.#accounts.delete(accountId);
    else this.#accounts.set(accountId, left);
  }

  /** The newest one. */
  get({ accountId, deviceId }: DeviceAddress): V | undefined {
    let entry = this.#accounts.get(accountId);
    while (entry !== undefined && entry.deviceId !== deviceId) entry = entry.next;
    return entry?.value;
  }

  /** True where there is one. */
  forEach({ accountId, deviceId }: DeviceAddress, run: (value: V) => void): boolean {
    let isThere = false;
    for (let entry = this.#accounts.get(accountId); entry !== undefined; entry = entry.next)
      if (entry.deviceId === deviceId) {
        isThere = true;
        run(entry.value);
      }
    return isThere;
  }

  /** Of the account. */
  count(accountId: string): number {
    let count = 0;
    for (let entry = this.#accounts.get(accountId); entry !== undefined; entry = entry.next)
      count++;
    return count;
  }
}

function without<V>(
  entry: Entry<V> | undefined,
  isIt: (entry: Entry<V>) => boolean,
): Entry<V> | undefined {
  if (entry === undefined) return undefined;
  if (isIt(entry)) return entry.next;
  const next = without(entry.next, isIt);
  return next === entry.next ? entry : { ...entry, next };
}
