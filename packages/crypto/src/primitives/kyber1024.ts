import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { concatBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import {
  ML_KEM_CIPHERTEXT_BYTES,
  mlKemDecapsulate,
  mlKemPublicKey,
  type Operation,
} from "../operation.ts";

/**
 * CRYSTALS-Kyber-1024 as of round 3 of NIST's competition, which is what libsignal speaks, made of FIPS 203's
 * ML-KEM-1024. The two differ at both ends of encapsulation only: round 3 hashes the message before use, and
 * hashes the shared secret with the ciphertext after it (Kyber specification 3.02, algorithms 8 and 9). Key
 * pairs are interchangeable, so a private key is kept as FIPS 203's 64-byte seed (d || z).
 */
export { ML_KEM_SEED_BYTES as KYBER_SEED_BYTES } from "../operation.ts";
export const KYBER_PUBLIC_KEY_BYTES = 1568;
export const KYBER_CIPHERTEXT_BYTES = ML_KEM_CIPHERTEXT_BYTES["ML-KEM-1024"];
const SHARED_SECRET_BYTES = 32;

export function kyberPublicKey(seed: Uint8Array): Operation<Uint8Array> {
  return mlKemPublicKey("ML-KEM-1024", seed);
}

export interface Encapsulated {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** `random` is 32 bytes. Throws `invalid-key` where the public key is not one. */
export function kyberEncapsulate(publicKey: Uint8Array, random: Uint8Array): Encapsulated {
  const { ciphertext, sharedSecret } = mlKem1024Encapsulate(publicKey, sha3_256(random));
  return { ciphertext, sharedSecret: round3Secret(sharedSecret, ciphertext) };
}

/** FIPS 203 algorithm 17, with the check of its section 7.2. */
export function mlKem1024Encapsulate(publicKey: Uint8Array, message: Uint8Array): Encapsulated {
  if (publicKey.length !== KYBER_PUBLIC_KEY_BYTES)
    throw new CryptoError("invalid-key", "not a Kyber-1024 public key");
  try {
    const { cipherText, sharedSecret } = ml_kem1024.encapsulate(publicKey, message);
    return { ciphertext: cipherText, sharedSecret };
  } catch {
    throw new CryptoError("invalid-key", "not a Kyber-1024 public key");
  }
}

/** A ciphertext that was not made for this key gives another secret, without a word (implicit rejection). */
export function* kyberDecapsulate(seed: Uint8Array, ciphertext: Uint8Array): Operation<Uint8Array> {
  return round3Secret(yield* mlKemDecapsulate("ML-KEM-1024", seed, ciphertext), ciphertext);
}

/** K = KDF(K' || H(c)), with SHAKE256 as KDF and SHA3-256 as H. */
function round3Secret(fips203Secret: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return shake256(concatBytes(fips203Secret, sha3_256(ciphertext)), {
    dkLen: SHARED_SECRET_BYTES,
  });
}
