import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Whose word about the client's address is taken. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** Addresses, and networks such as `10.0.0.0/8`. */
  constructor(addresses: readonly string[]) {
    for (const each of addresses) {
      const [address, prefix] = each.split("/", 2) as [string, string | undefined];
      if (prefix === undefined) this.#list.addAddress(address, familyOf(address));
      else this.#list.addSubnet(address, Number(prefix), familyOf(address));
    }
  }

  has(address: string): boolean {
    return isIP(address) !== 0 && this.#list.check(address, familyOf(address));
  }

  /**
   * Where a request comes from, by the word of the proxies that it came through: of X-Forwarded-For the last
   * address that is not a proxy's own. What stands before it is the client's word, and worth nothing.
   */
  clientOf(peer: string, headers: IncomingMessage["headers"]): string {
    if (!this.has(peer)) return peer;
    let client = peer;
    for (const hop of hopsOf(headers).reverse()) {
      if (isIP(hop) === 0) return client;
      client = hop;
      if (!this.has(hop)) return client;
    }
    return client;
  }
}

function hopsOf(headers: IncomingMessage["headers"]): string[] {
  const value = headers["x-forwarded-for"];
  const line = Array.isArray(value) ? value.join(",") : (value ?? "");
  return line.split(",").map((hop) => hop.trim());
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
