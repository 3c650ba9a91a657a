import { create } from "@bufbuild/protobuf";
import { type Receipt, ReceiptSchema, toHex } from "@parley/protocol";
import { beforeEach, expect, test } from "vitest";
import { newContact, putContact } from "../../src/contacts.ts";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import {
  forgetAllGivenKeys,
  forgetGivenKeys,
  type ListHashes,
  liveKeyInUse,
  noteEchoes,
  type RidingKeys,
  ridingKeys,
} from "../../src/presence/given-keys.ts";
import { renewOwnKeys } from "../../src/presence/own-presence.ts";
import { type Transaction, Transactor } from "../../src/store/transactor.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const BOB = "b".repeat(32);
const PHONE = { accountId: BOB, deviceId: 1 };
const LAPTOP = { accountId: BOB, deviceId: 2 };
const HOUR_MS = 60 * 60 * 1000;
const hash = (byte: number) => new Uint8Array(16).fill(byte);
const LISTS: ListHashes = { own: hash(1), theirs: hash(2) };

let transactor: Transactor;
let nowMs: number;
let lists: ListHashes;
const random = seededRandom(7);
const giving = () => ({ random, nowMs });
const transact = <T>(work: (tx: Transaction) => Promise<T>) => transactor.transact(work);

beforeEach(async () => {
  transactor = new Transactor(new MemoryClientStore(), (cause) => expect(cause).toBe(undefined));
  nowMs = 1_800_000_000_000;
  lists = LISTS;
  await transact(async (tx) => putContact(tx, BOB, { ...newContact(), accepted: true }));
});

const riding = (to = PHONE) => transact((tx) => ridingKeys(tx, giving(), { to, lists }));
const inUse = () => transact((tx) => liveKeyInUse(tx, giving(), { accountId: BOB, lists }));
const names = (keys: RidingKeys) =>
  Object.entries(keys).flatMap(([name, key]) => (key === undefined ? [] : [name]));
const idOf = (key: { readonly id: Uint8Array } | undefined) => key && toHex(key.id);

function echo(keys: RidingKeys, of = PHONE): Promise<void> {
  const receipt: Receipt = create(ReceiptSchema, {
    ...(keys.liveKey && { liveKeyId: keys.liveKey.id }),
    ...(keys.profileKey && { profileKeyId: keys.profileKey.id }),
    ...(keys.contactKey && { contactKeyId: keys.contactKey.id }),
  });
  return transact((tx) => noteEchoes(tx, of, receipt));
}

test("all three ride to each device until it echoes them, and the same ones to all", async () => {
  const keys = await riding();
  expect(names(keys)).toEqual(["liveKey", "profileKey", "contactKey"]);
  expect(await riding(LAPTOP)).toEqual(keys);
  await echo({ ...keys, profileKey: undefined });
  expect(names(await riding())).toEqual(["profileKey"]);
  await echo(keys);
  expect(names(await riding())).toEqual([]);
  expect(await riding(LAPTOP)).toEqual(keys);
  // A device that lost its store says that it holds nothing.
  await echo({});
  expect(await riding()).toEqual(keys);
});

test("strangers and the blocked are given none, and the one that they had is not used", async () => {
  await riding();
  expect(await inUse()).not.toBe(undefined);
  for (const state of [{ accepted: false }, { accepted: true, blocked: true }]) {
    await transact(async (tx) => putContact(tx, BOB, { ...newContact(), ...state }));
    expect(await riding()).toEqual({});
    expect(await inUse()).toBe(undefined);
  }
});

test("a change of either list makes another key, and the old one is used no more", async () => {
  for (const changed of [
    { ...LISTS, own: hash(3) },
    { ...LISTS, theirs: hash(4) },
  ]) {
    lists = LISTS;
    const before = await riding();
    await echo(before);
    expect(idOf(await inUse())).toBe(idOf(before.liveKey));
    lists = changed;
    expect(await inUse()).toBe(undefined);
    const after = await riding();
    expect(names(after)).toContain("liveKey");
    expect(idOf(after.liveKey)).not.toBe(idOf(before.liveKey));
    expect(idOf(await inUse())).toBe(idOf(after.liveKey));
    lists = LISTS;
    expect(await inUse()).toBe(undefined);
  }
});

test("a day of use makes another key, which is used once it is echoed, or after a day more", async () => {
  const first = await riding();
  await echo(first);
  nowMs += 1_000 * HOUR_MS;
  expect(names(await riding())).toEqual([]);
  expect(idOf(await inUse())).toBe(idOf(first.liveKey));
  nowMs += 24 * HOUR_MS - 1;
  expect(names(await riding())).toEqual([]);
  nowMs += 1;
  const second = await riding();
  expect(names(second)).toEqual(["liveKey"]);
  expect(idOf(await inUse())).toBe(idOf(first.liveKey));
  await echo({ ...first, ...second });
  expect(idOf(await inUse())).toBe(idOf(second.liveKey));
  nowMs += 24 * HOUR_MS;
  expect(idOf(await inUse())).toBe(idOf(second.liveKey));
  const third = await riding();
  nowMs += 24 * HOUR_MS - 1;
  expect(idOf(await inUse())).toBe(idOf(second.liveKey));
  nowMs += 1;
  expect(idOf(await inUse())).toBe(idOf(third.liveKey));
});

test("a block and a rollback begin anew", async () => {
  const first = await riding();
  expect(await transact((tx) => forgetGivenKeys(tx, BOB))).toBe(true);
  expect(await transact((tx) => forgetGivenKeys(tx, BOB))).toBe(false);
  const second = await riding();
  expect(idOf(second.liveKey)).not.toBe(idOf(first.liveKey));
  expect(second.profileKey).toEqual(first.profileKey);
  await transact(forgetAllGivenKeys);
  expect(await inUse()).toBe(undefined);
});

test("own keys that were renewed ride again", async () => {
  const before = await riding();
  await echo(before);
  await transact((tx) => renewOwnKeys(tx, random));
  expect(names(await riding())).toEqual(["profileKey", "contactKey"]);
});
