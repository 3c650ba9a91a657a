import { ID_BYTES } from "./limits.ts";

const HEX_PAIR = /^[0-9a-f]{2}$/;

/** Ids are bytes on the wire and lower-case hex wherever they are keys of maps, rows or texts. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_OF_BYTE[byte];
  return text;
}

/** Throws RangeError where the text is not lower-case hex of whole bytes. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError("hex of half a byte");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const pair = text.slice(2 * i, 2 * i + 2);
    if (!HEX_PAIR.test(pair)) throw new RangeError("not lower-case hex");
    bytes[i] = Number.parseInt(pair, 16);
  }
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * A copy, of plain bytes. `bytes.slice()` is none where the bytes are a Buffer of Node's: that is a view, and who
 * writes to it writes to what the caller still holds.
 */
export function copyOf(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}

/** 16 bytes as UUID text, as libsignal names an account in a protocol address. */
export function toUuid(id: Uint8Array): string {
  if (id.length !== ID_BYTES) throw new RangeError(`an id has ${ID_BYTES} bytes`);
  const hex = toHex(id);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
