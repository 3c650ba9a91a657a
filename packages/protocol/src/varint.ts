/**
 * Protobuf's base-128 numbers (encoding.md, "Base 128 Varints"), for the few frames that are on the way of
 * every message and are written by hand. Numbers up to 2^53.
 */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Returns where the next byte goes. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    target[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[next++] = rest;
  return next;
}

export const LENGTH_DELIMITED = 2;

/** A tag of a field below 16, which is one byte; above, two. */
export function writeTag(target: Uint8Array, at: number, field: number, wireType: number): number {
  return writeVarint(target, at, field * 8 + wireType);
}

/** A field of bytes: tag, length, bytes. */
export function writeBytes(
  target: Uint8Array,
  at: number,
  field: number,
  bytes: Uint8Array,
): number {
  const begin = writeVarint(target, writeTag(target, at, field, LENGTH_DELIMITED), bytes.length);
  target.set(bytes, begin);
  return begin + bytes.length;
}

/** How many bytes `writeBytes` takes, for a field below 16. */
export function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}
