import { CryptoError } from "../crypto-error.ts";
import { type HkdfInput, symmetric } from "./symmetric.ts";

export type { HkdfInput } from "./symmetric.ts";

/** SHA-256 (FIPS 180-4). */
export function sha256(message: Uint8Array): Uint8Array {
  return symmetric.sha256(message);
}

/** SHA-512 (FIPS 180-4). */
export function sha512(message: Uint8Array): Uint8Array {
  return symmetric.sha512(message);
}

/** HMAC-SHA256 (RFC 2104). */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return symmetric.hmacSha256(key, message);
}

/** HKDF-SHA256 (RFC 5869). */
export function hkdfSha256(input: HkdfInput): Uint8Array {
  if (!(input.length > 0 && input.length <= HKDF_BYTES_MAX))
    throw new CryptoError("misuse", "HKDF-SHA256 gives 1 to 8,160 bytes");
  return symmetric.hkdfSha256(input);
}

/** RFC 5869 section 2.3: 255 blocks of SHA-256. */
const HKDF_BYTES_MAX = 255 * 32;
