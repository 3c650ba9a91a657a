import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";

/** An IPv6 customer gets a network of this many groups, and may use any address in it (RFC 6177). */
const NETWORK_GROUPS = 4;
const GROUPS = 8;
const KEY_CHARACTERS = 22;

/** Names who has connected to the counters of limits, for as long as the process lives, and nobody else. */
export function visitorKey(salt: Uint8Array, address: string): string {
  const hash = createHash("sha256").update(salt).update(networkOf(address));
  return hash.digest("base64url").slice(0, KEY_CHARACTERS);
}

/** What one customer has: an IPv4 address, or the first half of an IPv6 one. */
export function networkOf(address: string): string {
  const plain = address.split("%", 1)[0] as string; // Behind it stands an interface of this machine.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? plain;
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from(
    { length: Math.max(0, GROUPS - before.length - after.length) },
    () => "0",
  );
  const groups = [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}
