/**
 * Numbers modulo p = 2^255 - 19, for what is done with public keys outside of signatures and agreements: a check, and
 * a change of form. Its time depends on the numbers: nothing secret comes here.
 */
const P = 2n ** 255n - 19n;

export function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/** A constant, big-endian. */
export function fieldElement(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

/** 1/value, by Euclid; 0 for 0. */
export function inverted(value: bigint): bigint {
  let [a, b] = [modulo(value), P];
  let [x, y] = [1n, 0n];
  while (a > 0n) {
    const quotient = b / a;
    [a, b] = [b - quotient * a, a];
    [x, y] = [y - quotient * x, x];
  }
  return modulo(y);
}

/** Euler's criterion: value^((p - 1) / 2) = 1. */
export function isNonZeroSquare(value: bigint): boolean {
  let power = 1n;
  let base = modulo(value);
  for (let exponent = (P - 1n) / 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) power = (power * base) % P;
    base = (base * base) % P;
  }
  return power === 1n;
}

export function littleEndian(bytes: Uint8Array): bigint {
  let hex = "";
  for (let i = bytes.length - 1; i >= 0; i--)
    hex += (bytes[i] as number).toString(16).padStart(2, "0");
  return BigInt(`0x${hex}`);
}

/** 32 bytes. */
export function littleEndianBytes(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(64, "0");
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[31 - i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
