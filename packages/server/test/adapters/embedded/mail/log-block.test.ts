import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BLOCK_END_BYTES,
  BLOCK_HEAD_BYTES,
  fileHead,
  HEAD_BYTES,
  scanFile,
  sealBlock,
} from "../../../../src/adapters/embedded/mail/log-block.ts";
import { seededBytes } from "../../../fixtures/seeded-bytes.ts";

const SIZE_BYTES = 64 * 1024;
const SEQUENCE = 7;

/** A file with a block of each payload length, marks from 1 on; where each begins, and where the last ends. */
function fileWith(lengths: readonly number[], seed: number) {
  const file = Buffer.alloc(SIZE_BYTES);
  file.set(fileHead(SEQUENCE, SIZE_BYTES));
  let at = HEAD_BYTES;
  const begins = lengths.map((length, i) => {
    const payload = Math.ceil((length + 1) / 8) * 8;
    const block = Buffer.alloc(BLOCK_HEAD_BYTES + payload + BLOCK_END_BYTES);
    block.set(seededBytes(seed + i, length), BLOCK_HEAD_BYTES);
    sealBlock(block, BigInt(i + 1), SEQUENCE);
    file.set(block, at);
    at += block.length;
    return at - block.length;
  });
  return { file, begins, end: at };
}

const files = fc
  .tuple(fc.array(fc.nat(3_000), { minLength: 1, maxLength: 12 }), fc.nat())
  .map(([lengths, seed]) => fileWith(lengths, seed));

const marksIn = (file: Buffer) => scanFile(file).blocks.map(({ mark }) => Number(mark));
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

test("gives back what was written, and where the next block goes", () =>
  fc.assert(
    fc.property(files, ({ file, begins, end }) => {
      const found = scanFile(file);
      expect(found).toMatchObject({ sequence: SEQUENCE, end, isTorn: false, damage: [] });
      expect(marksIn(file)).toEqual(upTo(begins.length));
    }),
  ));

test("an empty file was never used", () => {
  expect(scanFile(Buffer.alloc(SIZE_BYTES))).toMatchObject({ sequence: undefined, damage: [] });
});

test("a write that a crash cut off is torn, whichever sectors of it were written", () =>
  fc.assert(
    fc.property(files, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (made, written) => {
      const { file, begins, end } = made;
      const begin = begins.at(-1) as number;
      let lost = false;
      for (let sector = begin, i = 0; sector < end; i++) {
        const next = Math.min((Math.floor(sector / 512) + 1) * 512, end);
        if (written[i % written.length] === false) {
          file.fill(0, sector, next);
          lost = true;
        }
        sector = next;
      }
      const found = scanFile(file);
      expect(found.damage).toEqual([]);
      expect(marksIn(file)).toEqual(upTo(lost ? begins.length - 1 : begins.length));
      // All of it gone looks as if it was never begun.
      if (file.compare(Buffer.alloc(end - begin), 0, end - begin, begin, end) === 0) lost = false;
      expect(found.isTorn).toBe(lost);
    }),
  ));

test("one wrong bit anywhere in what was written is damage, and no block that has it is served", () =>
  fc.assert(
    fc.property(
      files,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (made, where) => {
        const { file, begins, end } = made;
        const bit = Math.floor(where * end * 8);
        const byte = bit >> 3;
        file[byte] = (file[byte] as number) ^ (1 << (bit & 7));
        const { damage, isTorn } = scanFile(file);
        expect([damage.length > 0, isTorn]).toEqual([true, false]);
        const hit = begins.findLastIndex((begin) => begin <= byte);
        const whole = upTo(begins.length).filter((mark) => mark !== hit + 1 || byte < HEAD_BYTES);
        expect(marksIn(file)).toEqual(whole);
        // What clients offer again begins no later than with the block that is gone.
        if (byte >= HEAD_BYTES)
          expect(damage.some(({ lostAfter }) => lostAfter !== undefined && lostAfter <= hit)).toBe(
            true,
          );
      },
    ),
    { numRuns: 300 },
  ));

test("one wrong bit in the zeros behind it loses nothing, and is found", () =>
  fc.assert(
    fc.property(
      files,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (made, where) => {
        const { file, begins, end } = made;
        const bit = end * 8 + Math.floor(where * (SIZE_BYTES - end) * 8);
        file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7));
        const { damage, isTorn } = scanFile(file);
        expect(damage.length > 0 || isTorn).toBe(true);
        expect(marksIn(file)).toEqual(upTo(begins.length));
      },
    ),
  ));

test("a file that is cut is damage, and loses blocks only where the cut went through them", () =>
  fc.assert(
    fc.property(files, fc.integer({ min: HEAD_BYTES, max: SIZE_BYTES - 1 }), (made, length) => {
      const { file, begins, end } = made;
      const { damage, blocks } = scanFile(file.subarray(0, length));
      expect(damage.length).toBeGreaterThan(0);
      const isWhole = length > end;
      if (isWhole) expect(damage.every(({ lostAfter }) => lostAfter === undefined)).toBe(true);
      else expect(damage.some(({ lostAfter }) => lostAfter !== undefined)).toBe(true);
      const whole = begins.filter((_, i) => (begins[i + 1] ?? end) <= length).length;
      expect(blocks.length).toBe(whole);
    }),
  ));

test("two pieces of 4 KiB that changed places are damage where that changed anything", () =>
  fc.assert(
    fc.property(files, fc.nat(15), fc.nat(15), (made, one, other) => {
      const { file, begins } = made;
      const before = Buffer.from(file);
      const piece = (index: number) =>
        Buffer.from(before.subarray(index * 4096, (index + 1) * 4096));
      file.set(piece(one), other * 4096);
      file.set(piece(other), one * 4096);
      const found = scanFile(file);
      if (file.equals(before)) expect(found.damage).toEqual([]);
      else {
        expect(found.damage.length).toBeGreaterThan(0);
        for (const { mark, payload } of found.blocks)
          expect(scanFile(before).blocks[Number(mark) - 1]?.payload).toEqual(payload);
        expect(found.blocks.length).toBeLessThanOrEqual(begins.length);
      }
    }),
    { numRuns: 300 },
  ));
