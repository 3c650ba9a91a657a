import { cbc, gcm } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import {
  isShort,
  SHORT_BYTES_MAX,
  SHORT_KEY_BYTES_MAX,
  ShortHmac,
  shortHkdf,
} from "./short-hmac.ts";

export interface HkdfInput {
  /** None: 32 zero bytes (RFC 5869 section 2.2). */
  readonly salt?: Uint8Array | undefined;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly length: number;
}

export interface Aead {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/**
 * The symmetric steps stand inside operations, so they are synchronous everywhere: in JavaScript, or by a
 * platform that has them so (node:crypto). Sizes are checked before it is asked; what it throws, its caller
 * turns into a CryptoError. Equal bytes from each, whatever the input.
 */
export interface SymmetricPrimitives {
  sha256(message: Uint8Array): Uint8Array;
  sha512(message: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  hkdfSha256(input: HkdfInput): Uint8Array;
  aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array;
  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  aesGcmSeal(aead: Aead, plaintext: Uint8Array): Uint8Array;
  aesGcmOpen(aead: Aead, sealed: Uint8Array): Uint8Array;
}

/** In JavaScript: runs anywhere. */
export const nobleSymmetric: SymmetricPrimitives = {
  sha256: (message) => sha256(message),
  sha512: (message) => sha512(message),
  hmacSha256: (key, message) =>
    key.length <= SHORT_KEY_BYTES_MAX && message.length <= SHORT_BYTES_MAX
      ? new ShortHmac(key).digest(message)
      : hmac(sha256, key, message),
  hkdfSha256: (input) => {
    if (isShort(input)) return shortHkdf(input);
    const { salt, ikm, info, length } = input;
    return hkdf(sha256, ikm, salt, info, length);
  },
  aesCbcEncrypt: (key, iv, plaintext) => cbc(key, iv).encrypt(plaintext),
  aesCbcDecrypt: (key, iv, ciphertext) => cbc(key, iv).decrypt(ciphertext),
  aesGcmSeal: ({ key, nonce, aad }, plaintext) => gcm(key, nonce, aad).encrypt(plaintext),
  aesGcmOpen: ({ key, nonce, aad }, sealed) => gcm(key, nonce, aad).decrypt(sealed),
};

/** What hash.ts and cipher.ts ask. One for the whole program: it changes speed, never a byte. */
export let symmetric: SymmetricPrimitives = { ...nobleSymmetric };

/** At start, by the platform (platform/start.ts), once its answers have been checked. */
export function installSymmetric(primitives: SymmetricPrimitives): void {
  symmetric = primitives;
}
