import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256, sha512 as nobleSha512 } from "@noble/hashes/sha2.js";

/** SHA-256 (FIPS 180-4). */
export function sha256(message: Uint8Array): Uint8Array {
  return nobleSha256(message);
}

/** SHA-512 (FIPS 180-4). */
export function sha512(message: Uint8Array): Uint8Array {
  return nobleSha512(message);
}

/** HMAC-SHA256 (RFC 2104). */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(nobleSha256, key, message);
}

export interface HkdfInput {
  /** None: 32 zero bytes (RFC 5869 section 2.2). */
  readonly salt?: Uint8Array | undefined;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly length: number;
}

/** HKDF-SHA256 (RFC 5869). */
export function hkdfSha256({ salt, ikm, info, length }: HkdfInput): Uint8Array {
  return hkdf(nobleSha256, ikm, salt, info, length);
}
