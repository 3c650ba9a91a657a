import { beforeEach, describe, expect, test } from "vitest";
import { LowerHalf } from "../fixtures/lower-half.ts";
import { PaperServer, type Shelf } from "../fixtures/paper-server.ts";

const DAY = 24 * 60 * 60 * 1000;
let server: PaperServer;
let alice: LowerHalf;
let bob: LowerHalf;
let shelf: Shelf;
beforeEach(async () => {
  server = new PaperServer();
  alice = await LowerHalf.open(server, "alice");
  bob = await LowerHalf.open(server, "bob");
  shelf = server.shelf(alice.who.address);
  await bob.directory.refresh(alice.who.address.accountId);
  await alice.directory.refresh(bob.who.address.accountId);
});

const ids = () => shelf.oneTime.map(({ id }) => id);
const believed = () => alice.transactor.transact((tx) => alice.prekeys.believed(tx));
const storedKeys = (kind: string) =>
  [...(alice.store.copy().get("prekeys")?.keys() ?? [])].filter((key) => key.startsWith(kind));

/** Bob begins a session with whatever the shelf gives, and writes. */
async function bobWrites(text = "hello"): Promise<string> {
  await bob.sessions.renew(alice.who.address);
  const ciphertext = await bob.encrypt(alice.who.address, text);
  return await alice.decrypt(bob.who.address, ciphertext);
}

describe("the stock", () => {
  test("is made and uploaded at first, and both sides then agree on it", async () => {
    await alice.mend();
    expect(shelf.uploads).toHaveLength(1);
    expect(shelf.held()).toMatchObject({ oneTimeCount: 100 });
    expect(shelf.held().signedPrekeyId).toBeGreaterThan(0);
    expect(shelf.held().lastResortPrekeyId).toBeGreaterThan(0);
    expect(await believed()).toEqual(shelf.held());
  });

  test("costs nothing while nothing differs", async () => {
    await alice.mend();
    await alice.mend();
    expect(shelf.uploads).toHaveLength(1);
  });

  test("is filled up to 100 again where fewer than 20 are left, and not before", async () => {
    await alice.mend();
    shelf.oneTime.splice(0, 80);
    await alice.mend();
    expect(shelf.uploads).toHaveLength(1);
    const left = ids();
    shelf.oneTime.splice(0, 1);
    await alice.mend();
    expect(shelf.held().oneTimeCount).toBe(100);
    expect(ids().slice(0, 19)).toEqual(left.slice(1));
    expect(await believed()).toEqual(shelf.held());
  });

  test("is filled up as soon as messages show that it went down", async () => {
    await alice.mend();
    for (let i = 0; i < 82; i++) await bobWrites(`${i}`);
    await alice.prekeys.settled();
    const filling = shelf.uploads.filter(({ oneTimePrekeys }) => oneTimePrekeys.length > 0);
    expect(filling).toHaveLength(2);
    expect(shelf.held().oneTimeCount).toBeGreaterThan(90);
  });

  test("is the same set, byte for byte, after a kill between storing and uploading", async () => {
    server.loseAnswerOf.add("uploadPrekeys");
    await alice.mend();
    const [first] = shelf.uploads;
    // The server lost it as well: all that is left is what the device stored.
    Object.assign(shelf, { signed: undefined, lastResort: undefined, oneTime: [] });
    await alice.restart();
    await alice.mend();
    expect(shelf.uploads[1]).toEqual(first);
  });

  test("is not made twice where only the answer was lost", async () => {
    server.loseAnswerOf.add("uploadPrekeys");
    await alice.mend();
    await alice.restart();
    await alice.mend();
    expect(shelf.uploads).toHaveLength(1);
    expect(storedKeys("one-time")).toHaveLength(100);
  });

  test("is tried again when the server says, without a new connection", async () => {
    server.loseAnswerOf.add("uploadPrekeys");
    await alice.mend();
    Object.assign(shelf, { signed: undefined, lastResort: undefined, oneTime: [] });
    await alice.clock.pass(1_000);
    await alice.prekeys.settled();
    expect(shelf.held().oneTimeCount).toBe(100);
  });

  test("is looked after while the connection lasts, without a word from the server", async () => {
    await alice.mend();
    shelf.oneTime.splice(0, 95);
    await alice.clock.pass(7 * 60 * 60 * 1000);
    await alice.prekeys.settled();
    expect(shelf.held().oneTimeCount).toBe(100);
  });
});

describe("rotation", () => {
  test("replaces the signed and the last-resort prekey after 7 days", async () => {
    await alice.mend();
    const { signedPrekeyId, lastResortPrekeyId } = shelf.held();
    await alice.clock.pass(6.9 * DAY);
    await alice.mend();
    expect(shelf.held()).toMatchObject({ signedPrekeyId, lastResortPrekeyId });
    await alice.clock.pass(0.2 * DAY);
    await alice.mend();
    expect(shelf.held().signedPrekeyId).toBeGreaterThan(signedPrekeyId);
    expect(shelf.held().lastResortPrekeyId).toBeGreaterThan(lastResortPrekeyId);
  });

  test("keeps the old ones for 30 days more, then deletes them after a drain", async () => {
    await alice.mend();
    await bob.sessions.renew(alice.who.address);
    const late = await bob.encrypt(alice.who.address, "late");
    const later = await bob.encrypt(alice.who.address, "later");
    await alice.clock.pass(8 * DAY);
    await alice.mend();
    const purge = () => alice.transactor.transact((tx) => alice.prekeys.purge(tx));
    await alice.clock.pass(29 * DAY);
    await purge();
    const copy = alice.store.copy();
    expect(await alice.decrypt(bob.who.address, late)).toBe("late");
    alice.store.restore(copy);
    await alice.clock.pass(2 * DAY);
    await purge();
    expect(await alice.decrypt(bob.who.address, later)).toBe("(unknown-prekey)");
    // One that replaced another is in use, whatever its age.
    expect(storedKeys("signed").length).toBeGreaterThan(0);
  });
});

describe("a one-time prekey", () => {
  test("is deleted with the message that used it, in one transaction", async () => {
    await alice.mend();
    const [first] = ids();
    await bobWrites();
    const key = `one-time/${first?.toString(16).padStart(6, "0")}`;
    expect(storedKeys("one-time")).not.toContain(key);
    expect(await believed()).toEqual(shelf.held());
  });

  test("stays where the message that names it is forged", async () => {
    await alice.mend();
    await bob.sessions.renew(alice.who.address);
    const ciphertext = await bob.encrypt(alice.who.address, "x");
    ciphertext[ciphertext.length - 1] = (ciphertext.at(-1) as number) ^ 1;
    const before = alice.store.copy();
    expect(await alice.decrypt(bob.who.address, ciphertext)).toBe("(invalid)");
    expect(alice.store.copy()).toEqual(before);
  });

  test("id is never used twice, also by a device that lost its store", async () => {
    await alice.mend();
    const before = new Set(ids());
    const { signedPrekeyId } = shelf.held();
    await alice.transactor.transact(async (tx) => {
      for (const table of ["prekeys", "device-state"] as const)
        for (const { key } of await tx.range(table, {})) tx.delete(table, key);
    });
    await alice.mend();
    expect(ids()).toHaveLength(100);
    expect(ids().some((id) => before.has(id))).toBe(false);
    expect(shelf.held().signedPrekeyId).toBeGreaterThan(signedPrekeyId);
    // What the server held before is of no use any more, and was dropped.
    expect(Math.min(...ids())).toBeGreaterThan(Math.max(...before));
    expect(await bobWrites()).toBe("hello");
  });

  test("that went out is not given again by a server that was put back", async () => {
    await alice.mend();
    const putBack = shelf.copy();
    const used = ids().slice(0, 5);
    for (let i = 0; i < 5; i++) await bobWrites();
    putBack();
    await alice.mend();
    expect(ids().some((id) => used.includes(id))).toBe(false);
    expect(shelf.held().oneTimeCount).toBe(100);
    expect(await bobWrites()).toBe("hello");
  });

  test("that went out is known as such though no message has used it", async () => {
    await alice.mend();
    const putBack = shelf.copy();
    const given = shelf.oneTime.splice(0, 50).map(({ id }) => id);
    await alice.mend();
    putBack();
    await alice.mend();
    expect(ids().some((id) => given.includes(id))).toBe(false);
    expect(shelf.held().oneTimeCount).toBe(100);
  });

  test("that a server put back holds or has lost is dropped: it may have gone out", async () => {
    await alice.mend();
    shelf.oneTime.splice(0, 81);
    const putBack = shelf.copy();
    const there = ids();
    await alice.mend();
    const lost = ids();
    putBack();
    const before = shelf.uploads.length;
    await alice.mend();
    expect(ids().some((id) => there.includes(id))).toBe(false);
    const uploaded = shelf.uploads.slice(before).flatMap((upload) => upload.oneTimePrekeys);
    expect(uploaded.some(({ id }) => lost.includes(id))).toBe(false);
    expect(shelf.held().oneTimeCount).toBe(100);
  });
});

describe("the last resort", () => {
  beforeEach(async () => {
    await alice.mend();
    shelf.oneTime = [];
  });

  test("serves whoever comes when no one-time prekey is left", async () => {
    expect(await bobWrites("one")).toBe("one");
    expect(await bobWrites("two")).toBe("two");
  });

  test("refuses the same handshake when it comes again", async () => {
    await bob.sessions.renew(alice.who.address);
    const ciphertext = await bob.encrypt(alice.who.address, "once");
    expect(await alice.decrypt(bob.who.address, ciphertext)).toBe("once");
    expect(await alice.decrypt(bob.who.address, ciphertext)).toBe("repeat");
    await alice.transactor.transact((tx) => alice.sessions.forget(tx, bob.who.address));
    await alice.clock.pass(DAY);
    await alice.transactor.transact((tx) => alice.prekeys.purge(tx));
    expect(await alice.decrypt(bob.who.address, ciphertext)).toBe("(invalid)");
  });
});
