import { beforeEach, expect, test } from "vitest";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import { StateNumber } from "../../src/store/state-number.ts";
import { Transactor } from "../../src/store/transactor.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
let transactor: Transactor;
let number: StateNumber;
beforeEach(async () => {
  transactor = new Transactor(new MemoryClientStore(), () => {});
  number = await StateNumber.load(transactor);
});

const raise = () => transactor.transact((tx) => number.raise(tx));
const settle = (highest: bigint, nowMs: number) =>
  transactor.transact((tx) => number.settle(tx, highest, nowMs));

test("it says only what is durable", async () => {
  const raising = transactor.transact(async (tx) => {
    await number.raise(tx);
    expect(number.committed).toBe(0n);
  });
  await raising;
  expect(number.committed).toBe(1n);
  await expect(
    transactor.transact(async (tx) => {
      await number.raise(tx);
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(number.committed).toBe(1n);
});

test("it goes on where it was after a restart", async () => {
  await raise();
  await raise();
  expect((await StateNumber.load(transactor)).committed).toBe(2n);
});

test("what the server saw at most as high as ours is no rollback", async () => {
  await raise();
  expect(await settle(1n, NOW)).toBe("ours");
  expect(number.committed).toBe(1n);
});

test("a higher one is a rollback, obeyed once an hour, and always passed", async () => {
  expect(await settle(10n, NOW)).toBe("rolled-back");
  expect(number.committed).toBe(11n);
  expect(await settle(20n, NOW + HOUR - 1)).toBe("rolled-back-again");
  expect(number.committed).toBe(21n);
  expect(await settle(30n, NOW + HOUR)).toBe("rolled-back");
});
