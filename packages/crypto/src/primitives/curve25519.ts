import { copyOf, equalBytes, fromHex } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import {
  fieldElement,
  inverted,
  isNonZeroSquare,
  littleEndian,
  littleEndianBytes,
  modulo,
} from "./field25519.ts";
import { rememberKeys } from "./key-memo.ts";

export const CURVE_KEY_BYTES = 32;

/**
 * u of every point whose order divides 8, on the curve and on its twist: with them a shared secret would be
 * zero (RFC 7748 section 6.1; the list is Bernstein's, https://cr.yp.to/ecdh.html).
 */
const LOW_ORDER_U: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(fromHex);

/** y of every Edwards point whose order divides 8 (https://eprint.iacr.org/2020/1244, table 1). */
const LOW_ORDER_Y: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(fromHex);

/** An X25519 public key is taken in one encoding only, and never of low order. */
export function checkX25519PublicKey(publicKey: Uint8Array): void {
  if (
    publicKey.length !== CURVE_KEY_BYTES ||
    !isBelowPrime(publicKey) ||
    LOW_ORDER_U.some((low) => equalBytes(low, publicKey))
  )
    throw new CryptoError("invalid-key", "X25519 key not canonical or of low order");
}

/**
 * An Ed25519 public key is taken in one encoding only (RFC 8032 section 5.1.3), and never of low order. On
 * what is left, every implementation of the equation without cofactor agrees. That the bytes are a point at
 * all, the verification finds.
 */
export function checkEd25519PublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== CURVE_KEY_BYTES)
    throw new CryptoError("invalid-key", "an Ed25519 key has 32 bytes");
  const y = withoutSignBit(publicKey);
  if (!isBelowPrime(y) || LOW_ORDER_Y.some((low) => equalBytes(low, y)))
    throw new CryptoError("invalid-key", "Ed25519 key not canonical or of low order");
}

/** The Montgomery image of an Ed25519 public key: u = (1 + y) / (1 - y) (RFC 7748 section 4.1). */
export const montgomeryOf = rememberKeys((ed25519PublicKey) => {
  checkEd25519PublicKey(ed25519PublicKey);
  const y = littleEndian(withoutSignBit(ed25519PublicKey));
  if (!isOnCurve(y)) throw new CryptoError("invalid-key", "not a point of Ed25519");
  return littleEndianBytes(modulo((1n + y) * inverted(1n - y)));
});

/** -121665/121666 (RFC 8032 section 5.1). */
const D = fieldElement("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");

/** RFC 8032 section 5.1.3: x^2 = (y^2 - 1) / (d y^2 + 1) has a root. The y of x = 0 are of low order. */
function isOnCurve(y: bigint): boolean {
  const square = modulo(y * y);
  return isNonZeroSquare((square - 1n) * (D * square + 1n));
}

/**
 * The Edwards form of a Montgomery u, under the sign bit that is given: y = (u - 1) / (u + 1) (XEdDSA
 * revision 1, section 2.3). The key must have passed `checkX25519PublicKey`.
 */
export function edwardsOf(u: Uint8Array, signBit: number): Uint8Array {
  const publicKey = copyOf(edwardsY(u));
  publicKey[31] = (publicKey[31] as number) | (signBit & SIGN_BIT);
  return publicKey;
}

const edwardsY = rememberKeys((u) => {
  const value = littleEndian(u);
  return littleEndianBytes(modulo((value - 1n) * inverted(value + 1n)));
});

/** The sign of x in the last byte of an Ed25519 key (RFC 8032 section 5.1.2). */
export const SIGN_BIT = 0x80;

/** Below p = 2^255 - 19, little-endian. */
function isBelowPrime(bytes: Uint8Array): boolean {
  if ((bytes[31] as number) !== 0x7f) return (bytes[31] as number) < 0x7f;
  for (let i = 30; i > 0; i--) if (bytes[i] !== 0xff) return true;
  return (bytes[0] as number) < 0xed;
}

function withoutSignBit(publicKey: Uint8Array): Uint8Array {
  const y = copyOf(publicKey);
  y[31] = (y[31] as number) & ~SIGN_BIT;
  return y;
}
