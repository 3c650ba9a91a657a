import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/**
 * AES-256-GCM with a random nonce: nonce 12 || ciphertext || tag 16. Under one key at most 2^32 of them
 * (NIST SP 800-38D section 8.3): a hundred rows a second for a year are fewer.
 */
export function seal(key: Uint8Array, plaintext: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  const sealed = new Uint8Array(NONCE_BYTES + plaintext.length + TAG_BYTES);
  sealed.set(nonce);
  sealed.set(cipher.update(plaintext), NONCE_BYTES);
  cipher.final();
  sealed.set(cipher.getAuthTag(), NONCE_BYTES + plaintext.length);
  return sealed;
}

/** Undefined: another key, another context, or changed bytes. */
export function open(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(tagAt));
  // A copy of its own: what Node's ciphers give is a view of a pooled buffer.
  const plaintext = new Uint8Array(decipher.update(sealed.subarray(NONCE_BYTES, tagAt)));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
