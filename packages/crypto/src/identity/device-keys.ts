import { concatBytes, copyOf } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify, type Operation } from "../operation.ts";
import {
  checkX25519PublicKey,
  edwardsOf,
  montgomeryOf,
  SIGN_BIT,
} from "../primitives/curve25519.ts";
import { sha512 } from "../primitives/hash.ts";

export const DEVICE_SEED_BYTES = 32;

/** An X25519 public key as libsignal's wire has it: this byte, then u (33 bytes). */
export const CURVE_KEY_TYPE = 0x05;

/** A device's keys: X25519 and Ed25519 from one seed (trust.md 1). */
export interface DeviceKeys {
  /** Signs as Ed25519 (RFC 8032): the scalar below is what Ed25519 itself derives from it. */
  readonly seed: Uint8Array;
  readonly x25519Private: Uint8Array;
  /** 0x05 || u, 33 bytes: the identity in bundles and sessions. */
  readonly identity: Uint8Array;
  /** The Ed25519 form, 32 bytes: the identity key of a device entry. */
  readonly ed25519Public: Uint8Array;
}

export function* deriveDeviceKeys(seed: Uint8Array): Operation<DeviceKeys> {
  if (seed.length !== DEVICE_SEED_BYTES)
    throw new CryptoError("misuse", `a device seed has ${DEVICE_SEED_BYTES} bytes`);
  const x25519Private = sha512(seed).slice(0, 32);
  // Clamped as RFC 7748 section 5 and RFC 8032 section 5.1.5 both do it.
  x25519Private[0] = (x25519Private[0] as number) & 0xf8;
  x25519Private[31] = ((x25519Private[31] as number) & 0x7f) | 0x40;
  const ed25519Public = yield* ed25519PublicKey(seed);
  return { seed, x25519Private, identity: identityOf(ed25519Public), ed25519Public };
}

/** The identity (33 bytes) that belongs to the Ed25519 form in a device entry. Throws `invalid-key`. */
export function identityOf(ed25519Public: Uint8Array): Uint8Array {
  return curveKey(montgomeryOf(ed25519Public));
}

/** 0x05 || u. */
export function curveKey(u: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(CURVE_KEY_TYPE), u);
}

/** The u of a 33-byte key. Throws `invalid-key` where it is not one, not canonical or of low order. */
export function montgomeryPart(key: Uint8Array): Uint8Array {
  if (key.length !== 33 || key[0] !== CURVE_KEY_TYPE)
    throw new CryptoError("invalid-key", "not an X25519 key of libsignal's form");
  const u = key.subarray(1);
  checkX25519PublicKey(u);
  return u;
}

/**
 * An Ed25519 signature in XEdDSA's clothes: the Edwards sign bit travels in the top bit of byte 63, which
 * Ed25519 leaves free (e2ee.md 2).
 */
export function* signAsIdentity(
  keys: Pick<DeviceKeys, "seed" | "ed25519Public">,
  message: Uint8Array,
): Operation<Uint8Array> {
  const signature = copyOf(yield* ed25519Sign(keys.seed, message));
  signature[63] = (signature[63] as number) | ((keys.ed25519Public[31] as number) & SIGN_BIT);
  return signature;
}

export interface SignedByIdentity {
  /** 33 bytes. */
  readonly identity: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** XEdDSA revision 1, section 2.4, with the sign bit put back into the point. Throws `invalid-key`. */
export function* verifyAsIdentity(signed: SignedByIdentity): Operation<boolean> {
  if (signed.signature.length !== 64) return false;
  const signature = copyOf(signed.signature);
  const signBit = (signature[63] as number) & SIGN_BIT;
  signature[63] = (signature[63] as number) & ~SIGN_BIT;
  const publicKey = edwardsOf(montgomeryPart(signed.identity), signBit);
  return yield* ed25519Verify({ publicKey, message: signed.message, signature });
}
