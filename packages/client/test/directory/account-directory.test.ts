import { create } from "@bufbuild/protobuf";
import {
  accountHead,
  deriveDeviceKeys,
  makeDeviceEntry,
  runSync,
  signDeviceEntry,
  signNextEra,
  verifyAccountChain,
} from "@parley/crypto";
import { nobleProvider } from "@parley/crypto/platform/noble";
import {
  AccountChangeSchema,
  type AccountHead,
  type DeviceEntry,
  fromHex,
  type SignedAccountEntry,
} from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { LowerHalf, type SignedUp, signedUp } from "../fixtures/lower-half.ts";
import { PaperServer } from "../fixtures/paper-server.ts";

let server: PaperServer;
let alice: LowerHalf;
let bob: SignedUp;
let bobId: string;
beforeEach(async () => {
  server = new PaperServer();
  alice = await LowerHalf.open(server, "alice");
  bob = await signedUp(server, "bob");
  bobId = bob.address.accountId;
});

const run = <T>(operation: Parameters<typeof runSync<T>>[1]) => runSync(nobleProvider, operation);
const known = () => alice.transactor.transact((tx) => alice.directory.account(tx, bobId));
const standing = (head: AccountHead) =>
  alice.transactor.transact((tx) => alice.directory.standingOf(tx, bobId, head));

function stateOf(who: SignedUp, entries: readonly SignedAccountEntry[]) {
  const accountId = fromHex(who.address.accountId);
  const verdict = run(verifyAccountChain({ accountId, entries }));
  if (verdict.kind !== "valid") throw new Error("the test's own chain does not hold");
  return verdict.state;
}

function newDevice(who: SignedUp, deviceId: number): DeviceEntry {
  const keys = run(deriveDeviceKeys(new Uint8Array(32).fill(deviceId)));
  const accountId = fromHex(who.address.accountId);
  return run(
    makeDeviceEntry(keys, {
      ...{ accountId, deviceId, registrationId: 7 },
      sealedName: new Uint8Array(0),
    }),
  );
}

/** Bob's first device adds another one. */
function addDevice(deviceId: number, onTopOf: readonly SignedAccountEntry[]): SignedAccountEntry {
  const change = create(AccountChangeSchema, {
    change: { case: "addDevice", value: newDevice(bob, deviceId) },
  });
  const signer = { deviceId: 1, keys: bob.keys };
  return run(signDeviceEntry(signer, stateOf(bob, onTopOf), [change])).entry;
}

describe("handles", () => {
  test("are asked for, and pinned the first time", async () => {
    expect(await alice.directory.lookUpHandle("bob")).toEqual({ kind: "found", accountId: bobId });
    await alice.restart();
    await alice.transactor.transact(async (tx) => {
      expect(await alice.directory.pinnedAccount(tx, "bob")).toBe(bobId);
      expect(await alice.directory.handleOf(tx, bobId)).toBe("bob");
      expect(await alice.directory.handleOf(tx, "00")).toBeUndefined();
    });
  });

  test("that nobody has are unknown", async () => {
    expect(await alice.directory.lookUpHandle("carol")).toEqual({ kind: "unknown" });
  });

  test("that come to name another account are an alarm, and the pin stays", async () => {
    await alice.directory.lookUpHandle("bob");
    const mallory = await signedUp(server, "mallory");
    server.handles.set("bob", mallory.record.accountId);
    expect(await alice.directory.lookUpHandle("bob")).toEqual({
      kind: "moved",
      pinned: bobId,
      now: mallory.address.accountId,
    });
    await alice.transactor.transact(async (tx) =>
      expect(await alice.directory.pinnedAccount(tx, "bob")).toBe(bobId),
    );
  });

  test("stand in no key of the store", async () => {
    await alice.directory.lookUpHandle("bob");
    const keys = [...alice.store.copy()].flatMap(([, rows]) => [...rows.keys()]);
    expect(keys.some((key) => key.includes(bobId))).toBe(true);
    expect(keys.some((key) => key.includes("bob"))).toBe(false);
  });
});

describe("a chain", () => {
  test("is fetched, verified, kept and read back after a restart", async () => {
    expect(await known()).toBeUndefined();
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
    await alice.restart();
    expect(await known()).toMatchObject({
      accountId: bobId,
      rootKey: bob.record.rootKey,
      devices: [{ address: bob.address, identityKey: bob.keys.ed25519Public }],
    });
  });

  test("of an account that the server does not know is unknown", async () => {
    expect(await alice.directory.refresh("00".repeat(16))).toEqual({ kind: "unknown" });
  });

  test("that grew is taken over, and older heads are known as such", async () => {
    await alice.directory.refresh(bobId);
    const first = (await known())?.head as AccountHead;
    server.chains.set(bobId, [bob.genesis, addDevice(2, [bob.genesis])]);
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
    expect((await known())?.devices.map(({ address }) => address.deviceId)).toEqual([1, 2]);
    expect(await standing(first)).toBe("older");
    expect(await standing((await known())?.head as AccountHead)).toBe("current");
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "unchanged" });
  });

  test("that grew step by step is held whole: a false head anywhere in it is seen", async () => {
    const second = addDevice(2, [bob.genesis]);
    const third = addDevice(3, [bob.genesis, second]);
    for (const chain of [[bob.genesis], [bob.genesis, second], [bob.genesis, second, third]]) {
      server.chains.set(bobId, chain);
      expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
    }
    await alice.restart();
    const first = accountHead(stateOf(bob, [bob.genesis]));
    expect(await standing(first)).toBe("older");
    expect(await standing({ ...first, hash: new Uint8Array(16) })).toBe("contradicts");
  });

  test("of a later era is taken over by who holds the old one and by a newcomer", async () => {
    await alice.directory.refresh(bobId);
    const old = stateOf(bob, [bob.genesis]);
    const next = run(signNextEra(bob.rootSeed, old, [newDevice(bob, 3)])).entry;
    server.chains.set(bobId, [bob.genesis, next]);
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
    await alice.restart();
    expect((await known())?.devices.map(({ address }) => address.deviceId)).toEqual([3]);
    expect(await standing(accountHead(old))).toBe("older");

    const carol = await LowerHalf.open(server, "carol");
    server.chains.set(bobId, [next]);
    expect(await carol.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
    const seen = await carol.transactor.transact((tx) =>
      carol.directory.standingOf(tx, bobId, accountHead(old)),
    );
    expect(seen).toBe("older");
  });

  test("never goes back to an older one", async () => {
    const second = addDevice(2, [bob.genesis]);
    server.chains.set(bobId, [bob.genesis, second]);
    await alice.directory.refresh(bobId);
    server.chains.set(bobId, [bob.genesis]);
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "unchanged" });
    expect((await known())?.devices).toHaveLength(2);
  });

  test("never goes back though its row was lost: the vault has its head", async () => {
    const second = addDevice(2, [bob.genesis]);
    server.chains.set(bobId, [bob.genesis, second]);
    await alice.directory.refresh(bobId);
    await alice.transactor.transact(async (tx) => tx.delete("account-chains", bobId));
    await alice.restart();
    server.chains.set(bobId, [bob.genesis]);
    expect(await alice.directory.refresh(bobId)).toEqual({ kind: "false-list" });
    server.chains.set(bobId, [bob.genesis, second]);
    expect(await alice.directory.refresh(bobId)).toMatchObject({ kind: "newer" });
  });

  test("with another entry at a place that is held is an alarm, and what is held stays", async () => {
    server.chains.set(bobId, [bob.genesis, addDevice(2, [bob.genesis])]);
    await alice.directory.refresh(bobId);
    const fork = addDevice(4, [bob.genesis]);
    server.chains.set(bobId, [bob.genesis, fork]);
    expect(await alice.directory.refresh(bobId)).toEqual({ kind: "false-list" });
    expect((await known())?.devices.map(({ address }) => address.deviceId)).toEqual([1, 2]);
    const forked = accountHead(stateOf(bob, [bob.genesis, fork]));
    expect(await standing(forked)).toBe("contradicts");
    expect(await alice.directory.settle(bobId, forked)).toEqual({ kind: "false-list" });
  });

  test("that is another account's, or was tampered with, is an alarm", async () => {
    const mallory = await signedUp(server, "mallory");
    server.chains.set(bobId, [mallory.genesis]);
    expect(await alice.directory.refresh(bobId)).toEqual({ kind: "false-list" });
    const signature = bob.genesis.signature.slice();
    signature[5] = (signature[5] as number) ^ 1;
    server.chains.set(bobId, [{ ...bob.genesis, signature }]);
    expect(await alice.directory.refresh(bobId)).toEqual({ kind: "false-list" });
    expect(await known()).toBeUndefined();
  });

  test("is fetched once for all who ask at the same time", async () => {
    await Promise.all([alice.directory.refresh(bobId), alice.directory.refresh(bobId)]);
    expect(server.asked).toEqual(["fetchAccountChain"]);
  });
});

describe("after a refused send", () => {
  test("the newer list is taken over, and a server that lacks an entry is given it", async () => {
    const second = addDevice(2, [bob.genesis]);
    await alice.directory.refresh(bobId);
    server.chains.set(bobId, [bob.genesis, second]);
    const ownHead = await alice.transactor.transact(
      async (tx) => (await alice.directory.account(tx, alice.who.address.accountId))?.head,
    );
    const settle = (recipientHead: AccountHead) =>
      alice.directory.settleMismatch(
        {
          $typeName: "parley.wire.v1.DeviceListMismatch",
          recipientHead,
          senderHead: ownHead as never,
        },
        bobId,
      );
    const newest = accountHead(stateOf(bob, [bob.genesis, second]));
    expect(await settle(newest)).toMatchObject({
      recipient: { kind: "newer" },
      own: { kind: "unchanged" },
    });
    server.chains.set(bobId, [bob.genesis]);
    const restored = accountHead(stateOf(bob, [bob.genesis]));
    expect(await settle(restored)).toMatchObject({ recipient: { kind: "unchanged" } });
    expect(server.chains.get(bobId)).toHaveLength(2);
  });
});

test("the devices that a message must reach are all but this one", async () => {
  await alice.directory.refresh(bobId);
  const addresses = (accountId: string) =>
    alice.transactor.transact((tx) => alice.directory.addresses(tx, accountId));
  expect(await addresses(bobId)).toEqual([bob.address]);
  expect(await addresses(alice.who.address.accountId)).toEqual([]);
  expect(await addresses("00".repeat(16))).toEqual([]);
});
