import { expect, test } from "vitest";
import { BLOCK_BYTES, BlockPool } from "../../src/gateway/block-pool.ts";
import { FrameReader } from "../../src/gateway/frame-reader.ts";
import { FIRST, frame, LAST } from "../fixtures/client-frames.ts";

test("gives each block to one at a time, and again once it was given back", () => {
  const pool = new BlockPool();
  const blocks = Array.from({ length: 200 }, () => pool.take());
  for (const [i, block] of blocks.entries()) block.fill(i);
  for (const [i, block] of blocks.entries()) {
    expect(block).toHaveLength(BLOCK_BYTES);
    expect([block[0], block.at(-1)]).toEqual([i, i]);
  }
  const [first] = blocks;
  pool.give(first as Uint8Array);
  expect(pool.take()).toBe(first);
});

test("is asked for no more than a message needs, and has it back when the message is whole", () => {
  const taken = new Set<Uint8Array>();
  const pool = new BlockPool();
  const counted = Object.assign(Object.create(pool) as BlockPool, {
    take: () => {
      const block = pool.take();
      taken.add(block);
      return block;
    },
    give: (block: Uint8Array) => {
      taken.delete(block);
      pool.give(block);
    },
  });
  const reader = new FrameReader(counted);
  const read = (bytes: Uint8Array) => {
    reader.push(Uint8Array.from(bytes));
    return reader.next(1_000_000);
  };
  expect(read(frame({ first: FIRST, payload: new Uint8Array(100_000) }))).toBeUndefined();
  expect(taken.size).toBe(Math.ceil((100_000 - 1024) / BLOCK_BYTES));
  expect(read(frame({ first: LAST, payload: new Uint8Array(10) }))?.kind).toBe("message");
  expect(taken.size).toBe(0);
  read(frame({ first: FIRST, payload: new Uint8Array(100_000) }));
  reader.forget();
  expect(taken.size).toBe(0);
});
