import { create } from "@bufbuild/protobuf";
import { AcceptedSchema, fromHex, SendMessageRequestSchema } from "@parley/protocol";
import { beforeEach, expect, test } from "vitest";
import { SkippedDevices } from "../../src/outbox/skipped-devices.ts";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import { Transactor } from "../../src/store/transactor.ts";

const NOW = 1_800_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const bob = "0b".repeat(16);
const own = "0a".repeat(16);
const phone = { accountId: bob, deviceId: 1 };
const laptop = { accountId: bob, deviceId: 2 };
const ownLaptop = { accountId: own, deviceId: 2 };

let store: MemoryClientStore;
let skipped: SkippedDevices;
let transactor: Transactor;
async function open(): Promise<void> {
  store = store?.reopen() ?? new MemoryClientStore();
  transactor = new Transactor(store, () => {});
  skipped = new SkippedDevices();
  await transactor.transact((tx) => skipped.load(tx));
}
beforeEach(async () => {
  store = new MemoryClientStore();
  await open();
});

/** The server accepts a send to both devices of Bob and the own other one. */
const accept = (recipients: readonly number[], others: readonly number[], nowMs = NOW) =>
  transactor.transact(async (tx) => {
    const to = (destinationDevice: number) => ({ destinationDevice });
    const request = create(SendMessageRequestSchema, {
      recipientAccount: fromHex(bob),
      recipientEnvelopes: [1, 2].map(to),
      ownEnvelopes: [2].map(to),
    });
    const accepted = create(AcceptedSchema, {
      skippedRecipientDevices: [...recipients],
      skippedOwnDevices: [...others],
    });
    skipped.settle(tx, { ownAccountId: own, nowMs }, { request, accepted });
  });
const left = (nowMs = NOW) =>
  [phone, laptop, ownLaptop].filter((address) => skipped.has(address, nowMs));

test("knows for a day which devices were skipped, through restarts", async () => {
  await accept([2], [2]);
  expect(left()).toEqual([laptop, ownLaptop]);
  await open();
  expect(left(NOW + DAY_MS - 1)).toEqual([laptop, ownLaptop]);
  expect(left(NOW + DAY_MS)).toEqual([]);
});

test("forgets a device that had room, and one that says something", async () => {
  await accept([1, 2], [2]);
  await accept([1], [2]);
  expect(left()).toEqual([phone, ownLaptop]);
  await transactor.transact(async (tx) => skipped.forget(tx, phone));
  expect(left()).toEqual([ownLaptop]);
  await open();
  expect(left()).toEqual([ownLaptop]);
});

test("begins another day where a device is skipped again", async () => {
  await accept([2], []);
  await accept([2], [], NOW + DAY_MS);
  expect(left(NOW + 2 * DAY_MS - 1)).toEqual([laptop]);
});

test("leaves nobody out because a clock was put back", async () => {
  await accept([2], []);
  expect(left(NOW - 1)).toEqual([]);
});

test("knows nothing of what was not committed", async () => {
  await expect(
    transactor.transact(async (tx) => {
      const accepted = create(AcceptedSchema, { skippedRecipientDevices: [1] });
      const request = create(SendMessageRequestSchema, {
        recipientAccount: fromHex(bob),
        recipientEnvelopes: [{ destinationDevice: 1 }],
      });
      skipped.settle(tx, { ownAccountId: own, nowMs: NOW }, { request, accepted });
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(left()).toEqual([]);
});
