import { utf8ToBytes } from "@noble/hashes/utils.js";

/** Labels and other fixed texts. */
export function ascii(text: string): Uint8Array {
  return utf8ToBytes(text);
}

export function utf8(text: string): Uint8Array {
  return utf8ToBytes(text);
}

/** Big-endian, as every number in a body that is hashed or signed. */
export function uint16Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function uint32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** A text behind 2 bytes of length. */
export function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0xffff) throw new RangeError("longer than its length field can say");
  const all = new Uint8Array(2 + bytes.length);
  all.set(uint16Bytes(bytes.length));
  all.set(bytes, 2);
  return all;
}

export function uint64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}
