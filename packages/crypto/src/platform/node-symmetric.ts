import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type DecipherGCM,
  hash,
  hkdfSync,
} from "node:crypto";
import { nobleSymmetric, type SymmetricPrimitives } from "../primitives/symmetric.ts";

/** The symmetric steps by node:crypto: for messages of a chat about twice as fast as JavaScript, with AES-GCM 5 to 10 times. */
export const nodeSymmetric: SymmetricPrimitives = {
  sha256: (message) => viewOf(hash("sha256", message, "buffer")),
  sha512: (message) => viewOf(hash("sha512", message, "buffer")),
  hmacSha256: (key, message) => viewOf(createHmac("sha256", key).update(message).digest()),
  hkdfSha256: (input) => {
    const { salt, ikm, info, length } = input;
    if (info.length > INFO_BYTES_MAX) return nobleSymmetric.hkdfSha256(input);
    return new Uint8Array(hkdfSync("sha256", ikm, salt ?? NO_SALT, info, length));
  },
  aesCbcEncrypt: (key, iv, plaintext) => {
    const cipher = createCipheriv("aes-256-cbc", key, iv);
    return joined(cipher.update(plaintext), cipher.final());
  },
  aesCbcDecrypt: (key, iv, ciphertext) => {
    const decipher = createDecipheriv("aes-256-cbc", key, iv);
    return joined(decipher.update(ciphertext), decipher.final());
  },
  aesGcmSeal: ({ key, nonce, aad }, plaintext) => {
    const cipher: CipherGCM = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(aad);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return joined(ciphertext, cipher.getAuthTag());
  },
  aesGcmOpen: ({ key, nonce, aad }, sealed) => {
    const decipher: DecipherGCM = createDecipheriv("aes-256-gcm", key, nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aad);
    const end = sealed.length - TAG_BYTES;
    decipher.setAuthTag(sealed.subarray(Math.max(0, end)));
    const plaintext = decipher.update(sealed.subarray(0, Math.max(0, end)));
    decipher.final();
    return viewOf(plaintext);
  },
};

const NO_SALT = new Uint8Array(0);
/** hkdfSync takes no longer one. */
const INFO_BYTES_MAX = 1024;
const TAG_BYTES = 16;

/** What node:crypto gives has a buffer of its own: a plain array on it is no copy. */
function viewOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function joined(first: Buffer, second: Buffer): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
