import { expect, test } from "vitest";
import { RowMemory } from "../../../../src/adapters/embedded/mail/row-memory.ts";

const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value);

test("what waits keeps no chunk of the network alive", () => {
  const memory = new RowMemory();
  const chunk = bytesOf(128 * 1024, 7);
  const copies = Array.from({ length: 1_000 }, (_, i) =>
    memory.copy(chunk.subarray(i * 100, i * 100 + 420)),
  );
  chunk.fill(0);
  const held = new Set(copies.map(({ buffer }) => buffer));
  expect(held.has(chunk.buffer)).toBe(false);
  expect([...held].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(2 * 420_000);
  for (const copy of copies) expect(copy).toEqual(bytesOf(420, 7));
});

test("copies lie beside each other, and a large one alone", () => {
  const memory = new RowMemory();
  const copies = [300, 64 * 1024 - 299, 64 * 1024 + 1, 5].map((n, i) => memory.copy(bytesOf(n, i)));
  for (const [i, copy] of copies.entries()) expect(copy).toEqual(bytesOf(copy.length, i));
});
