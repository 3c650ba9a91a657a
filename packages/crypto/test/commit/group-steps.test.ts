import { toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import {
  encodeOwnSenderKey,
  type GroupClaim,
  GroupSteps,
  type RemoteDevice,
  withHolders,
} from "../../src/index.ts";
import { GROUP, GroupParty } from "../fixtures/group-party.ts";
import { PaperStore, type PaperTransaction } from "../fixtures/paper-store.ts";
import { run } from "../fixtures/party.ts";

const misuse = expect.objectContaining({ code: "misuse" });
const content = new TextEncoder().encode("to all");

function side(name: string) {
  const party = new GroupParty(name);
  const store = new PaperStore(() => {
    throw new Error("no prekeys in groups");
  });
  return { party, store, steps: new GroupSteps<PaperTransaction>({ store, run }) };
}

/** Alice has a key; bob has been given it. */
function alreadyShared() {
  const [alice, bob] = [side("alice"), side("bob")];
  alice.party.giveKeyTo(bob.party);
  const own = withHolders(alice.party.key, [bob.party.device]);
  alice.store.rows = new Map([[`own/${toHex(GROUP)}`, encodeOwnSenderKey(own)]]);
  const [record] = bob.party.records.values();
  const id = toHex(own.distributionId);
  bob.store.rows = new Map([[`held/${toHex(GROUP)}/${id}`, record as Uint8Array]]);
  const sending = { groupId: GROUP, devices: [bob.party.device], nowMs: alice.party.nowMs };
  const context = { groupId: GROUP, from: alice.party.device, nowMs: bob.party.nowMs };
  return { alice, bob, sending, context };
}

const claims =
  (device: RemoteDevice) =>
  (read: Uint8Array): GroupClaim | undefined =>
    toHex(read) === toHex(content) ? { ...device, groupId: GROUP } : undefined;

test("a group message is staged, committed and released on both sides", async () => {
  const { alice, bob, sending, context } = alreadyShared();
  const sent = await alice.store.transact(async (tx) => {
    const staged = await alice.steps.encrypt(tx, sending, content);
    if (staged.kind !== "encrypted") throw new Error(staged.kind);
    return await staged.ciphertext.commit(tx);
  });
  const claimOf = claims(alice.party.device);
  const read = await bob.store.transact(async (tx) => {
    const staged = await bob.steps.decrypt(tx, context, sent.released, claimOf);
    if (staged.kind !== "content") throw new Error(staged.kind);
    const kept = await staged.content.commit(tx);
    expect(() => kept.released).toThrow(misuse);
    const again = await bob.steps.decrypt(tx, context, sent.released, claimOf);
    expect(again.kind).toBe("repeat");
    return kept;
  });
  expect(read.released).toEqual(content);
});

test("two messages are never made of one state of a key", async () => {
  const { alice, sending } = alreadyShared();
  await alice.store.transact(async (tx) => {
    const [one, two] = [
      await alice.steps.encrypt(tx, sending, content),
      await alice.steps.encrypt(tx, sending, content),
    ];
    if (one.kind !== "encrypted" || two.kind !== "encrypted") throw new Error("not encrypted");
    await one.ciphertext.commit(tx);
    await expect(two.ciphertext.commit(tx)).rejects.toThrow(misuse);
    const next = await alice.steps.encrypt(tx, sending, content);
    expect(next.kind).toBe("encrypted");
  });
});

test("dropped, a message was neither sent nor read", async () => {
  const { alice, bob, sending, context } = alreadyShared();
  const before = alice.store.rows;
  await alice.store.transact(async (tx) => {
    await alice.steps.encrypt(tx, sending, content);
  });
  expect(alice.store.rows).toEqual(before);
  const sent = await alice.store.transact(async (tx) => {
    const staged = await alice.steps.encrypt(tx, sending, content);
    return staged.kind === "encrypted" ? await staged.ciphertext.commit(tx) : undefined;
  });
  const held = bob.store.rows;
  const claimOf = claims(alice.party.device);
  for (let i = 0; i < 2; i++) {
    const staged = await bob.store.transact((tx) =>
      bob.steps.decrypt(tx, context, sent?.released ?? content, claimOf),
    );
    expect(staged.kind).toBe("content");
  }
  expect(bob.store.rows).toEqual(held);
});

test("another's words, a key that is not there and bytes that are no message make no step", async () => {
  const { alice, bob, sending, context } = alreadyShared();
  const sent = await alice.store.transact(async (tx) => {
    const staged = await alice.steps.encrypt(tx, sending, content);
    return staged.kind === "encrypted" ? await staged.ciphertext.commit(tx) : undefined;
  });
  const ciphertext = sent?.released ?? content;
  await bob.store.transact(async (tx) => {
    const passedOff = claims(bob.party.device);
    const decrypt = (bytes: Uint8Array, of = context) =>
      bob.steps.decrypt(tx, of, bytes, passedOff);
    expect((await decrypt(ciphertext)).kind).toBe("false-claim");
    expect((await decrypt(Uint8Array.of(1))).kind).toBe("undecryptable");
    const elsewhere = { ...context, groupId: new Uint8Array(32) };
    expect(await decrypt(ciphertext, elsewhere)).toMatchObject({ cause: "no-sender-key" });
  });
});

test("what must come first is said, and nothing is encrypted", async () => {
  const { alice, bob, sending } = alreadyShared();
  const carol = side("carol").party.device;
  await alice.store.transact(async (tx) => {
    const more = { ...sending, devices: [bob.party.device, carol] };
    expect(await alice.steps.encrypt(tx, more, content)).toEqual({
      kind: "distribute",
      lacking: [carol],
    });
    const fewer = { ...sending, devices: [] };
    expect((await alice.steps.encrypt(tx, fewer, content)).kind).toBe("rotate");
    const none = { ...sending, groupId: new Uint8Array(32) };
    expect((await alice.steps.encrypt(tx, none, content)).kind).toBe("no-sender-key");
  });
});
