import fc from "fast-check";
import { expect, test } from "vitest";
import { CHUNK_BYTES, chunkOf, messageOf } from "../../src/spqr/erasure-code.ts";
import { fieldTables, ORDER } from "../../src/spqr/gf65536.ts";

const element = fc.integer({ min: 0, max: 0xffff });
const unit = fc.integer({ min: 1, max: 0xffff });

/** By the definition: shift, add, reduce. */
function multiplySlowly(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bits = b; bits > 0; bits >>= 1) {
    if ((bits & 1) === 1) product ^= shifted;
    shifted <<= 1;
    if (shifted > 0xffff) shifted ^= 0x1100b;
  }
  return product;
}

test("the field's logarithms add up as its elements multiply", () =>
  fc.assert(
    fc.property(unit, unit, (a, b) => {
      const { log, power } = fieldTables();
      const sum = (log[a] as number) + (log[b] as number);
      expect(power[sum]).toBe(multiplySlowly(a, b));
      expect(power[sum % ORDER]).toBe(power[sum]);
    }),
  ));

const message = fc
  .integer({ min: 1, max: 36 })
  .chain((chunks) =>
    fc.uint8Array({ minLength: chunks * CHUNK_BYTES, maxLength: chunks * CHUNK_BYTES }),
  );

test("any as many chunks as a message has give it back, in any order", () =>
  fc.assert(
    fc.property(message, fc.infiniteStream(element), (sent, indices) => {
      const wanted = new Set<number>();
      for (const index of indices) {
        wanted.add(index);
        if (wanted.size === sent.length / CHUNK_BYTES) break;
      }
      const chunks = [...wanted].map((index) => chunkOf(sent, index));
      expect(messageOf(sent.length, chunks)).toEqual(sent);
      expect(messageOf(sent.length, chunks.slice(1))).toBeUndefined();
    }),
    { numRuns: 40 },
  ));

test("the first chunks are the message itself", () =>
  fc.assert(
    fc.property(message, (sent) => {
      const count = sent.length / CHUNK_BYTES;
      const first = Array.from({ length: count }, (_, index) => chunkOf(sent, index).data);
      expect(Buffer.concat(first)).toEqual(Buffer.from(sent));
    }),
    { numRuns: 20 },
  ));
