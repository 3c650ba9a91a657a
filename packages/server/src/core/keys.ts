import { createPublicKey, verify } from "node:crypto";
import { type Label, labelled } from "./labels.ts";

// RFC 8410 section 4: a SubjectPublicKeyInfo of Ed25519 is these bytes and then the key.
const ED25519_SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
// RFC 7748: the prime of the field, 2^255 - 19.
const FIELD_PRIME = 2n ** 255n - 19n;
/** libsignal's type bytes. */
const CURVE_KEY_TYPE = 0x05;
const KYBER_1024_KEY_TYPE = 0x08;
const KYBER_MODULUS = 3329;
/** k = 4 polynomials of 256 coefficients of 12 bits; a seed of 32 bytes follows (Kyber round 3, section 1.2). */
const KYBER_1024_COEFFICIENT_BYTES = 4 * 256 * 1.5;

/**
 * The u-coordinates of points of small order on Curve25519, as far as they are canonical
 * (RFC 7748 section 6.1; the list is that of https://cr.yp.to/ecdh.html#validate).
 */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  FIELD_PRIME - 1n,
]);

/** Ed25519 (RFC 8032 section 5.1.7) over `label || 0x00 || body`. */
export function verifyLabelled(
  publicKey: Uint8Array,
  label: Label,
  { body, signature }: { readonly body: Uint8Array; readonly signature: Uint8Array },
): boolean {
  return verifyEd25519(publicKey, labelled(label, body), signature);
}

/**
 * A signature over a prekey, as libsignal expects it where it verifies XEdDSA: an Ed25519 signature with the
 * sign bit of the public key in the top bit of its last byte (trust.md 1). Ed25519 leaves that bit free,
 * because s is below 2^253.
 */
export function verifyPrekeySignature(
  identityKey: Uint8Array,
  prekey: Uint8Array,
  signature: Uint8Array,
): boolean {
  const sign = (identityKey[31] as number) & 0x80;
  if (((signature[63] as number) & 0x80) !== sign) return false;
  const plain = Uint8Array.from(signature);
  plain[63] = (plain[63] as number) & 0x7f;
  return verifyEd25519(identityKey, prekey, plain);
}

/** 0x05 and the canonical u-coordinate of a point whose order is not small. */
export function isCurvePublicKey(key: Uint8Array): boolean {
  if (key.length !== 33 || key[0] !== CURVE_KEY_TYPE) return false;
  const u = BigInt(`0x${Buffer.from(key.subarray(1)).reverse().toString("hex")}`);
  return u < FIELD_PRIME && !SMALL_ORDER.has(u);
}

/** 0x08 and coefficients below q: what Kyber's own encoding yields, and nothing else. */
export function isKyberPublicKey(key: Uint8Array): boolean {
  if (key.length !== 1569 || key[0] !== KYBER_1024_KEY_TYPE) return false;
  const bytes = key.subarray(1);
  for (let i = 0; i < KYBER_1024_COEFFICIENT_BYTES; i += 3) {
    const [low, middle, high] = [bytes[i], bytes[i + 1], bytes[i + 2]] as [number, number, number];
    const first = low | ((middle & 0x0f) << 8);
    const second = (middle >> 4) | (high << 4);
    if (first >= KYBER_MODULUS || second >= KYBER_MODULUS) return false;
  }
  return true;
}

function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) {
  try {
    const key = createPublicKey({
      key: Buffer.concat([ED25519_SPKI_HEAD, publicKey]),
      format: "der",
      type: "spki",
    });
    return verify(null, message, key, signature);
  } catch {
    return false; // OpenSSL refuses to read some keys that are none.
  }
}
