import type { Account } from "../../ports/account-store.ts";
import { packAccount, unpackAccount } from "./packed-account.ts";

/** Some 300 bytes each with one device: all of some twenty thousand. */
const PACKED_BYTES_MAX = 8 * 1024 * 1024;
/** Some two kilobytes each. */
const READY_MAX = 256;
/** Of an entry, besides the packed account: its key and its place. */
const ENTRY_BYTES = 128;

/**
 * Accounts that were asked for: two look-ups for every send come from here. The last few are ready as they
 * are; others are packed, and take a sixth of the memory and about a microsecond.
 */
export class AccountCache {
  readonly #packed = new Map<string, string>();
  #packedBytes = 0;
  #ready = new Map<string, Account>();
  #readyBefore = new Map<string, Account>();

  get(accountId: string): Account | undefined {
    const ready = this.#ready.get(accountId);
    if (ready !== undefined) return ready;
    const before = this.#readyBefore.get(accountId);
    if (before !== undefined) return this.#makeReady(before);
    const packed = this.#packed.get(accountId);
    return packed === undefined ? undefined : this.#makeReady(unpackAccount(accountId, packed));
  }

  set(account: Account): void {
    const packed = packAccount(account);
    if (this.#packedBytes >= PACKED_BYTES_MAX) {
      this.#packed.clear();
      this.#packedBytes = 0;
    }
    this.#packed.set(account.accountId, packed);
    this.#packedBytes += packed.length + ENTRY_BYTES;
    this.#makeReady(account);
  }

  delete(accountId: string): void {
    const packed = this.#packed.get(accountId);
    if (packed !== undefined) this.#packedBytes -= packed.length + ENTRY_BYTES;
    this.#packed.delete(accountId);
    this.#ready.delete(accountId);
    this.#readyBefore.delete(accountId);
  }

  #makeReady(account: Account): Account {
    if (this.#ready.size >= READY_MAX / 2) {
      this.#readyBefore = this.#ready;
      this.#ready = new Map();
    }
    this.#ready.set(account.accountId, account);
    return account;
  }
}
