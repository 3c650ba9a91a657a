import { copyOf } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { fieldTables, ORDER } from "./gf65536.ts";

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
    const data = copyOf(message, index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return { index, data };
  }
  if (index > CHUNK_INDEX_MAX) throw new CryptoError("misuse", "no more chunks");
  const points = Array.from({ length: count }, (_, i) => i);
  const chunks = points.map((i) => message.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
  return { index, data: valueAt(index, { points, weights: firstWeights(points), chunks }) };
}

/** As many different chunks as the message has give it back; undefined where there are fewer. */
export function messageOf(sizeBytes: number, chunks: readonly Chunk[]): Uint8Array | undefined {
  const count = sizeBytes / CHUNK_BYTES;
  if (chunks.length < count) return undefined;
  const used = chunks.slice(0, count);
  const there = new Map(used.map(({ index, data }) => [index, data]));
  let polynomials: Polynomials | undefined;
  const message = new Uint8Array(sizeBytes);
  for (let index = 0; index < count; index++) {
    let data = there.get(index);
    if (data === undefined) {
      polynomials ??= through(used);
      data = valueAt(index, polynomials);
    }
    message.set(data, index * CHUNK_BYTES);
  }
  return message;
}

/** 16 polynomials by their values, one word of each chunk for each. */
interface Polynomials {
  /** All different. */
  readonly points: readonly number[];
  /** Logarithms of the barycentric weights' inverses: of the product of (x_i - x_j) over all j but i. */
  readonly weights: readonly number[];
  readonly chunks: readonly Uint8Array[];
}

function through(used: readonly Chunk[]): Polynomials {
  const points = used.map(({ index }) => index);
  return { points, weights: weightsOf(points), chunks: used.map(({ data }) => data) };
}

function weightsOf(points: readonly number[]): number[] {
  const { log } = fieldTables();
  return points.map((point) => {
    let sum = 0;
    for (const other of points) if (other !== point) sum += log[point ^ other] as number;
    return sum % ORDER;
  });
}

/** Those of the points 0, 1, 2 …, which every sender needs: a message has one of few sizes. */
const weightsOfFirst = new Map<number, readonly number[]>();

function firstWeights(points: readonly number[]): readonly number[] {
  const known = weightsOfFirst.get(points.length);
  if (known !== undefined) return known;
  const made = weightsOf(points);
  weightsOfFirst.set(points.length, made);
  return made;
}

/**
 * Lagrange, in barycentric form: the sum of value i times the product of all (x - x_j), over (x - x_i) and the
 * product of (x_i - x_j) over all j but i. `x` is none of the points.
 */
function valueAt(x: number, { points, weights, chunks }: Polynomials): Uint8Array {
  const { log, power } = fieldTables();
  let product = 0;
  for (const point of points) product += log[x ^ point] as number;
  product %= ORDER;
  const words = new Uint16Array(WORDS);
  for (let i = 0; i < points.length; i++) {
    const under = (log[x ^ (points[i] as number)] as number) + (weights[i] as number);
    const weight = (product + 2 * ORDER - under) % ORDER;
    const chunk = chunks[i] as Uint8Array;
    for (let word = 0; word < WORDS; word++) {
      const here = ((chunk[2 * word] as number) << 8) | (chunk[2 * word + 1] as number);
      if (here !== 0)
        words[word] = (words[word] as number) ^ (power[weight + (log[here] as number)] as number);
    }
  }
  const bytes = new Uint8Array(CHUNK_BYTES);
  for (let word = 0; word < WORDS; word++) {
    bytes[2 * word] = (words[word] as number) >> 8;
    bytes[2 * word + 1] = (words[word] as number) & 0xff;
  }
  return bytes;
}
