import { concatBytes } from "@parley/protocol";
import { sha512 } from "../primitives/hash.ts";
import { uint16Bytes } from "../primitives/text.ts";
import { identityOf } from "./device-keys.ts";

export interface SafetyNumberParty {
  readonly accountId: Uint8Array;
  /** Ed25519 public key. */
  readonly rootKey: Uint8Array;
}

/**
 * libsignal's fingerprint, version 2 (trust.md 2): 60 digits in twelve groups of five, the same on both
 * sides. 5,200 rounds of SHA-512 for each party, 40–70 ms: keep the result.
 */
export function safetyNumber(a: SafetyNumberParty, b: SafetyNumberParty): string {
  const digits = [digitsOf(a), digitsOf(b)].sort().join("");
  return (digits.match(/.{5}/g) as string[]).join(" ");
}

const ROUNDS = 5200;
/** The hash's version, not the display's: 0 in versions 1 and 2 alike. */
const HASH_VERSION = 0;

function digitsOf({ accountId, rootKey }: SafetyNumberParty): string {
  const key = identityOf(rootKey);
  let hash = sha512(concatBytes(uint16Bytes(HASH_VERSION), key, accountId, key));
  for (let round = 1; round < ROUNDS; round++) hash = sha512(concatBytes(hash, key));
  let digits = "";
  for (let at = 0; at < 30; at += 5) digits += fiveDigits(hash.subarray(at, at + 5));
  return digits;
}

/** 5 bytes, big-endian, modulo 100,000. */
function fiveDigits(bytes: Uint8Array): string {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return String(value % 100_000).padStart(5, "0");
}
