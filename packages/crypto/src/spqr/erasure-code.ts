import { CryptoError } from "../crypto-error.ts";
import { divide, multiply } from "./gf65536.ts";

/**
 * A message in chunks of 32 bytes of which any as many as it has give it back (ML-KEM Braid section 2.3).
 * The first ones are the message itself. A chunk is 16 big-endian words, each the value of a polynomial of
 * its own at the chunk's index, through the words of the message at indices 0, 1, 2 …
 */
export const CHUNK_BYTES = 32;
const WORDS = CHUNK_BYTES / 2;
/** Indices are elements of the field. */
export const CHUNK_INDEX_MAX = 0xffff;

export interface Chunk {
  readonly index: number;
  /** 32 bytes. */
  readonly data: Uint8Array;
}

/** `message` is a multiple of 32 bytes. */
export function chunkOf(message: Uint8Array, index: number): Chunk {
  const count = message.length / CHUNK_BYTES;
  if (index < count) {
    const data = message.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return { index, data };
  }
  if (index > CHUNK_INDEX_MAX) throw new CryptoError("misuse", "no more chunks");
  const points = Array.from({ length: count }, (_, i) => i);
  const chunks = points.map((i) => message.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
  return { index, data: valueAt(index, points, chunks) };
}

/** As many different chunks as the message has give it back; undefined where there are fewer. */
export function messageOf(sizeBytes: number, chunks: readonly Chunk[]): Uint8Array | undefined {
  const count = sizeBytes / CHUNK_BYTES;
  if (chunks.length < count) return undefined;
  const used = chunks.slice(0, count);
  const points = used.map(({ index }) => index);
  const values = used.map(({ data }) => data);
  const there = new Map(used.map(({ index, data }) => [index, data]));
  const message = new Uint8Array(sizeBytes);
  for (let index = 0; index < count; index++)
    message.set(there.get(index) ?? valueAt(index, points, values), index * CHUNK_BYTES);
  return message;
}

/** Lagrange: the sum of value i times the product of (x - x_j) / (x_i - x_j) over all j but i. */
function valueAt(x: number, points: readonly number[], values: readonly Uint8Array[]): Uint8Array {
  const words = new Uint16Array(WORDS);
  for (const [i, point] of points.entries()) {
    let over = 1;
    let under = 1;
    for (const other of points) {
      if (other === point) continue;
      over = multiply(over, x ^ other);
      under = multiply(under, point ^ other);
    }
    const weight = divide(over, under);
    const value = values[i] as Uint8Array;
    for (let word = 0; word < WORDS; word++) {
      const here = ((value[2 * word] as number) << 8) | (value[2 * word + 1] as number);
      words[word] = (words[word] as number) ^ multiply(weight, here);
    }
  }
  const bytes = new Uint8Array(CHUNK_BYTES);
  for (const [word, value] of words.entries()) {
    bytes[2 * word] = value >> 8;
    bytes[2 * word + 1] = value & 0xff;
  }
  return bytes;
}
