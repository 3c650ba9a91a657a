import { CryptoError } from "../crypto-error.ts";
import { type Aead, symmetric } from "./symmetric.ts";

export type { Aead } from "./symmetric.ts";

const AES_256_KEY_BYTES = 32;
const CBC_IV_BYTES = 16;
const GCM_NONCE_BYTES = 12;

/** AES-256-CBC with PKCS7 padding (NIST SP 800-38A; RFC 5652 section 6.3). */
export function aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkSizes(key, iv, CBC_IV_BYTES);
  return symmetric.aesCbcEncrypt(key, iv, plaintext);
}

/** Throws `malformed` where the padding is wrong: call it only on what a MAC has vouched for. */
export function aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  checkSizes(key, iv, CBC_IV_BYTES);
  try {
    return symmetric.aesCbcDecrypt(key, iv, ciphertext);
  } catch {
    throw new CryptoError("malformed", "not AES-CBC with PKCS7 padding");
  }
}

/** AES-256-GCM (NIST SP 800-38D), a 12-byte nonce, the 16-byte tag behind the ciphertext. */
export function aesGcmSeal(aead: Aead, plaintext: Uint8Array): Uint8Array {
  checkSizes(aead.key, aead.nonce, GCM_NONCE_BYTES);
  return symmetric.aesGcmSeal(aead, plaintext);
}

/** Throws `not-authentic`. */
export function aesGcmOpen(aead: Aead, sealed: Uint8Array): Uint8Array {
  checkSizes(aead.key, aead.nonce, GCM_NONCE_BYTES);
  try {
    return symmetric.aesGcmOpen(aead, sealed);
  } catch {
    throw new CryptoError("not-authentic", "AES-GCM tag does not hold");
  }
}

function checkSizes(key: Uint8Array, nonce: Uint8Array, nonceBytes: number): void {
  if (key.length !== AES_256_KEY_BYTES || nonce.length !== nonceBytes)
    throw new CryptoError("misuse", "key or nonce of the wrong size");
}
