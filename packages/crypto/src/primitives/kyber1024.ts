import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { concatBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";

/**
 * CRYSTALS-Kyber-1024 as of round 3 of NIST's competition, which is what libsignal speaks, made of FIPS 203's
 * ML-KEM-1024. The two differ at both ends of encapsulation only: round 3 hashes the message before use, and
 * hashes the shared secret with the ciphertext after it (Kyber specification 3.02, algorithms 8 and 9). Key
 * pairs are interchangeable, so a private key is kept as FIPS 203's 64-byte seed (d || z).
 */
export const KYBER_SEED_BYTES = 64;
export const KYBER_PUBLIC_KEY_BYTES = 1568;
export const KYBER_CIPHERTEXT_BYTES = 1568;
const SHARED_SECRET_BYTES = 32;

export function kyberPublicKey(seed: Uint8Array): Uint8Array {
  return keyPair(seed).publicKey;
}

export interface Encapsulated {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** `random` is 32 bytes. Throws `invalid-key` where the public key is not one (FIPS 203 section 7.2). */
export function kyberEncapsulate(publicKey: Uint8Array, random: Uint8Array): Encapsulated {
  if (publicKey.length !== KYBER_PUBLIC_KEY_BYTES)
    throw new CryptoError("invalid-key", "not a Kyber-1024 public key");
  let made: { cipherText: Uint8Array; sharedSecret: Uint8Array };
  try {
    made = ml_kem1024.encapsulate(publicKey, sha3_256(random));
  } catch {
    throw new CryptoError("invalid-key", "not a Kyber-1024 public key");
  }
  return {
    ciphertext: made.cipherText,
    sharedSecret: round3Secret(made.sharedSecret, made.cipherText),
  };
}

/** A ciphertext that was not made for this key gives another secret, without a word (implicit rejection). */
export function kyberDecapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length !== KYBER_CIPHERTEXT_BYTES)
    throw new CryptoError("malformed", "not a Kyber-1024 ciphertext");
  return round3Secret(ml_kem1024.decapsulate(ciphertext, keyPair(seed).secretKey), ciphertext);
}

function keyPair(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  if (seed.length !== KYBER_SEED_BYTES)
    throw new CryptoError("misuse", `a Kyber seed has ${KYBER_SEED_BYTES} bytes`);
  return ml_kem1024.keygen(seed);
}

/** K = KDF(K' || H(c)), with SHAKE256 as KDF and SHA3-256 as H. */
function round3Secret(fips203Secret: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return shake256(concatBytes(fips203Secret, sha3_256(ciphertext)), {
    dkLen: SHARED_SECRET_BYTES,
  });
}
