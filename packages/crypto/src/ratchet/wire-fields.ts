import { CryptoError } from "../crypto-error.ts";

/**
 * The few shapes of protobuf that libsignal's messages use: uint32 and bytes, each field at most once. The
 * reader takes nothing else: no groups, no unknown fields, no over-long varints, so that one message has few
 * encodings and a decoder few paths.
 */
export type FieldKind = "uint32" | "bytes";
export type FieldKinds = Readonly<Record<number, FieldKind>>;
export type FieldValues = ReadonlyMap<number, number | Uint8Array>;

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const VARINT_BYTES_MAX = 5;

/** Throws `malformed`. Bytes are views of the input. */
export function readFields(bytes: Uint8Array, kinds: FieldKinds): FieldValues {
  const values = new Map<number, number | Uint8Array>();
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const field = tag >>> 3;
    const kind = kinds[field];
    const wireType = kind === "bytes" ? LENGTH_DELIMITED : VARINT;
    if (kind === undefined || (tag & 7) !== wireType || values.has(field))
      throw malformed("a field that does not belong here");
    values.set(field, kind === "bytes" ? readBytes(bytes, cursor) : readVarint(bytes, cursor));
  }
  return values;
}

export interface FieldToWrite {
  readonly field: number;
  readonly value: number | Uint8Array | undefined;
}

/** By rising field number, zero values included: libsignal's own bytes. Undefined is left out. */
export function writeFields(fields: readonly FieldToWrite[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { field, value } of fields) {
    if (value === undefined) continue;
    if (typeof value === "number") parts.push(varint(field << 3), varint(value));
    else parts.push(varint((field << 3) | LENGTH_DELIMITED), varint(value.length), value);
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function uint32Field(values: FieldValues, field: number): number {
  const value = values.get(field);
  if (typeof value !== "number") throw malformed(`field ${field} is missing`);
  return value;
}

export function bytesField(values: FieldValues, field: number, length?: number): Uint8Array {
  const value = values.get(field);
  if (!(value instanceof Uint8Array)) throw malformed(`field ${field} is missing`);
  if (length !== undefined && value.length !== length)
    throw malformed(`field ${field} is not of its length`);
  return value;
}

interface Cursor {
  at: number;
}

function readBytes(bytes: Uint8Array, cursor: Cursor): Uint8Array {
  const length = readVarint(bytes, cursor);
  const end = cursor.at + length;
  if (end > bytes.length) throw malformed("cut off");
  const value = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return value;
}

/** A uint32, in as few bytes as it needs. */
function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  let value = 0;
  for (let count = 0; count < VARINT_BYTES_MAX; count++) {
    const byte = bytes[cursor.at];
    if (byte === undefined) throw malformed("cut off");
    cursor.at += 1;
    value += (byte & 0x7f) * 2 ** (7 * count);
    if (byte < 0x80) {
      if ((byte === 0 && count > 0) || value > 0xffff_ffff) throw malformed("not a plain uint32");
      return value;
    }
  }
  throw malformed("an over-long number");
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function malformed(message: string): CryptoError {
  return new CryptoError("malformed", message);
}
