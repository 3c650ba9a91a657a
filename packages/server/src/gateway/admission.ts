import type { Context } from "../context.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

/** So many above the limit are still told why; more are cut off without a word, which costs less. */
const TOLD_MAX = 64;

/** One for all sockets of an address that fared alike: a socket keeps nothing of its own. */
export interface Arrival {
  readonly isRefused: boolean;
  /** One socket has ended. */
  leave(): void;
}

type Parts = Pick<Context, "settings" | "limits" | "rateLimiter" | "addressKeys">;

/** Sockets by the address at their other end: how many there are, and how fast they come. */
export class Admission {
  readonly #context: Parts;
  readonly #addresses = new Map<string, Address>();
  readonly proxies: TrustedProxies;

  constructor(context: Parts) {
    this.#context = context;
    this.proxies = new TrustedProxies(context.settings.trustedProxies);
  }

  /** A socket from there. Undefined: it is cut off, and leaves nothing behind. */
  arrive(address: string): Arrival | undefined {
    const { addressKeys, settings, limits } = this.#context;
    const key = addressKeys.keyOf(address);
    if (this.#comesTooFast(key)) return undefined;
    const found = this.#addresses.get(key) ?? this.#newAddress(key);
    const over = found.sockets - settings.connectionsPerAddressMax;
    const isRefused = over >= 0 && limits.refuses("connectionsPerAddressMax");
    if (isRefused && over >= TOLD_MAX) return undefined;
    found.sockets++;
    return isRefused ? found.refused : found.admitted;
  }

  /**
   * For what visitors do, such as to sign up. Undefined for a proxy that names nobody: many stand behind it, and
   * one of them could use up what all of them may do.
   */
  visitorKey(address: string): string | undefined {
    return this.proxies.has(address) ? undefined : this.#context.addressKeys.keyOf(address);
  }

  #newAddress(key: string): Address {
    const address = new Address(() => this.#addresses.delete(key));
    this.#addresses.set(key, address);
    return address;
  }

  #comesTooFast(key: string): boolean {
    const waitMs = this.#context.rateLimiter.take("connectionsPerAddressPerMinute", key);
    // A socket does not wait for counters that several processes share: it is let in.
    if (typeof waitMs !== "number") return false;
    return waitMs > 0 && this.#context.limits.refuses("connectionsPerAddressPerMinute");
  }
}

class Address {
  sockets = 0;
  readonly admitted: Arrival;
  readonly refused: Arrival;

  constructor(onEmpty: () => void) {
    const leave = () => {
      this.sockets--;
      if (this.sockets === 0) onEmpty();
    };
    this.admitted = { isRefused: false, leave };
    this.refused = { isRefused: true, leave };
  }
}
