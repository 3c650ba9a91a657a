import type { MessengerEvent } from "@parley/client";
import { toHex } from "@parley/protocol";
import { beforeEach, expect, test } from "vitest";
import { type Citizen, Town } from "./town.ts";

const MINUTE_MS = 60_000;
/** The server's, with a second to spare. */
const GRACE_MS = 11_000;
/** The server tells each watcher of each account once a second at most. */
const SECOND_MS = 1_001;

let town: Town;
beforeEach(() => {
  town = new Town();
});

function seen(by: Citizen, of: Citizen) {
  return by
    .heard("presence")
    .filter(({ accountId }) => accountId === of.id)
    .map(({ online, lastSeenMs }) => (online ? "online" : (lastSeenMs ?? "nothing")));
}

async function watch(by: Citizen, ...people: readonly Citizen[]): Promise<void> {
  await town.run(by.messenger.watchPresence(people.map(({ id }) => id)));
  await town.pass(SECOND_MS);
}

test("a contact sees who is there, and, to the minute, when he was last there", async () => {
  const [alice, bob] = await town.friends();
  await watch(bob, alice);
  expect(seen(bob, alice)).toEqual([]);
  alice.messenger.setActive(true);
  await town.pass(SECOND_MS);
  expect(bob.heard("presence")).toEqual([
    { type: "presence", accountId: alice.id, handle: "alice", online: true, lastSeenMs: undefined },
  ]);
  const leftMs = town.nowMs;
  alice.messenger.setActive(false);
  await town.pass(SECOND_MS);
  expect(seen(bob, alice)).toEqual(["online", leftMs - (leftMs % MINUTE_MS)]);
  // Who asks later is told at once.
  await watch(bob);
  await watch(bob, alice);
  expect(seen(bob, alice)).toHaveLength(3);
});

test("a line that breaks and comes back is not seen; one that stays away is", async () => {
  const [alice, bob] = await town.friends();
  alice.messenger.setActive(true);
  await watch(bob, alice);
  alice.cut();
  await town.until(() => alice.messenger.connectionState.kind === "online");
  await town.pass(GRACE_MS);
  expect(seen(bob, alice)).toEqual(["online"]);
  await town.run(alice.messenger.close());
  await town.pass(GRACE_MS);
  expect(seen(bob, alice)).toEqual(["online", expect.any(Number)]);
  await alice.open();
  await alice.start();
});

test("what is watched and what is shown is told again after a reconnect, to a new server too", async () => {
  const [alice, bob] = await town.friends();
  alice.messenger.setActive(true);
  await watch(bob, alice);
  bob.cut();
  await town.until(() => bob.messenger.connectionState.kind === "online");
  await town.pass(SECOND_MS);
  expect(seen(bob, alice)).toEqual(["online", "nothing", "online"]);
  town.killServer();
  await town.pass(SECOND_MS);
  town.startServer();
  await town.until(() => seen(bob, alice).length === 5);
  expect(seen(bob, alice).slice(3)).toEqual(["nothing", "online"]);
});

test("nobody sees who hides, and who hides sees nobody", async () => {
  const [alice, bob] = await town.friends();
  for (const one of [alice, bob]) one.messenger.setActive(true);
  await watch(bob, alice);
  await watch(alice, bob);
  await town.run(alice.messenger.setPresence({ visible: "nobody", lastSeen: true }));
  await town.pass(SECOND_MS);
  expect([seen(bob, alice), seen(alice, bob)]).toEqual([
    ["online", "nothing"],
    ["online", "nothing"],
  ]);
  expect(alice.sent("watchPresence").at(-1)?.targets).toEqual([]);
  // Her device knows it in another run too.
  await alice.restart();
  alice.messenger.setActive(true);
  await watch(alice, bob);
  await town.pass(GRACE_MS);
  expect(alice.sent("setPresence").at(-1)).toMatchObject({ active: false, shareLastSeen: false });
  expect(alice.sent("setPresence").at(-1)?.tokenHash).toHaveLength(0);
  await town.run(alice.messenger.setPresence({ visible: "contacts", lastSeen: false }));
  await town.pass(SECOND_MS);
  expect([seen(bob, alice).at(-1), seen(alice, bob).at(-1)]).toEqual(["online", "online"]);
});

test("when somebody was last there is shown among those who show it", async () => {
  const [alice, bob] = await town.friends();
  await town.run(bob.messenger.setPresence({ visible: "contacts", lastSeen: false }));
  alice.messenger.setActive(true);
  await watch(bob, alice);
  alice.messenger.setActive(false);
  await town.pass(SECOND_MS);
  expect(seen(bob, alice)).toEqual(["online", "nothing"]);
  await town.run(bob.messenger.setPresence({ visible: "contacts", lastSeen: true }));
  await town.pass(SECOND_MS);
  expect(seen(bob, alice).at(-1)).toEqual(expect.any(Number));
});

test("who was given no key sees nothing, whatever he shows", async () => {
  const [alice, bob] = await town.friends();
  const carol = await town.citizen("carol");
  alice.messenger.setActive(true);
  for (const visible of ["everyone", "contacts"] as const) {
    await town.run(alice.messenger.setPresence({ visible, lastSeen: true }));
    await watch(bob, alice);
    await carol.says(alice, "let me in");
    await watch(carol, alice);
    expect(seen(bob, alice).at(-1)).toBe("online");
    expect(seen(carol, alice)).toEqual([]);
  }
  // He watches all the same: as soon as he is given a key, he sees.
  await alice.messenger.acceptContact(carol.id);
  await town.until(() => seen(carol, alice).length === 1);
  expect(seen(carol, alice)).toEqual(["online"]);
});

test("the two circles have a token each, and a watcher shows those that it was given", async () => {
  const [alice, bob] = await town.friends();
  const hashes: string[] = [];
  for (const visible of ["everyone", "contacts", "everyone"] as const) {
    await town.run(alice.messenger.setPresence({ visible, lastSeen: true }));
    hashes.push(toHex(alice.sent("setPresence").at(-1)?.tokenHash as Uint8Array));
  }
  expect(hashes[0]).toBe(hashes[2]);
  expect(hashes[0]).not.toBe(hashes[1]);
  await watch(bob, alice);
  const [target] = bob.sent("watchPresence").at(-1)?.targets ?? [];
  const shown = [target?.token, target?.otherToken].map((token) => toHex(token as Uint8Array));
  expect(new Set(shown).size).toBe(2);
  expect(shown.every((token) => token.length === 64)).toBe(true);
});

test("a block shuts out at once, and the others see again with the next that comes", async () => {
  const [alice, bob] = await town.friends();
  const carol = await town.citizen("carol");
  await carol.says(alice, "hello");
  await alice.says(carol, "hello");
  await town.pass(5_000);
  await town.run(alice.messenger.setPresence({ visible: "everyone", lastSeen: true }));
  alice.messenger.setActive(true);
  await watch(bob, alice);
  await watch(carol, alice);
  await watch(alice, bob);
  await alice.messenger.blockContact(bob.id);
  await town.pass(SECOND_MS);
  expect(seen(bob, alice)).toEqual(["online", "nothing"]);
  expect(alice.sent("watchPresence").at(-1)?.targets).toEqual([]);
  await bob.messenger.sendText(alice.id, "why?");
  await watch(bob);
  await watch(bob, alice);
  expect(seen(bob, alice)).toEqual(["online", "nothing"]);

  await alice.says(carol, "with the new keys");
  await town.pass(SECOND_MS);
  expect(seen(carol, alice)).toEqual(["online", "nothing", "online"]);
});

test("keys ride until a receipt echoes them, and whatever they ride in has one size", async () => {
  const [alice, bob] = [await town.citizen("alice"), await town.citizen("bob")];
  const sizes = (from: Citizen) =>
    from
      .sent("sendMessage")
      .map(({ recipientEnvelopes: [envelope] }) => envelope?.ciphertext.length ?? 0);
  await alice.says(bob, "one");
  await alice.says(bob, "two");
  await bob.messenger.acceptContact(alice.id);
  await town.pass(5_000);
  await alice.says(bob, "three");
  await bob.says(alice, "four");
  await town.pass(5_000);
  await alice.says(bob, "five");
  await town.pass(5_000);
  await bob.says(alice, "six");
  await town.pass(5_000);
  const afterwards = [sizes(alice).at(-1), sizes(bob).at(-1)] as number[];
  // A text without keys is padded to 255, everything with keys to 383.
  expect(Math.max(...afterwards)).toBeLessThan(383);
  const bobs = sizes(bob);
  expect(bobs.length).toBeGreaterThanOrEqual(4);
  expect(bobs[0]).toBeGreaterThan(383);
  expect(
    sizes(alice)
      .slice(0, 2)
      .every((size) => size > 383),
  ).toBe(true);
});

test("a device that takes no part says nothing of presence", async () => {
  const [alice, bob] = await town.friends();
  await alice.restart();
  for (const one of [alice, bob])
    expect([...one.sent("setPresence"), ...one.sent("watchPresence")]).toEqual([]);
});

test("at most 64 are watched at once", async () => {
  const [alice] = await town.friends();
  const ids = Array.from({ length: 65 }, (_, i) => i.toString(16).padStart(32, "0"));
  await expect(alice.messenger.watchPresence(ids)).rejects.toMatchObject({ code: "not-allowed" });
  await town.run(alice.messenger.watchPresence(ids.slice(1)));
  const told: MessengerEvent[] = alice.heard("presence");
  expect(told).toEqual([]);
});
