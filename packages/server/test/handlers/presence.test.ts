import { createHash } from "node:crypto";
import { ErrorCode, type PresenceChanged, toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import { randomBytes } from "../fixtures/keys.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";
import { Person } from "../fixtures/person.ts";
import { again, member, talk } from "../fixtures/talk.ts";
import type { WireClient } from "../fixtures/wire-client.ts";

const TOKEN = randomBytes(32);
const GRACE_MS = 10_000;
const MINUTE_MS = 60_000;

const hashOf = (token: Uint8Array) => createHash("sha256").update(token).digest();

interface Shown {
  readonly token?: Uint8Array | undefined;
  readonly lastSeen?: boolean;
  readonly active?: boolean;
}

/** By default: visible with a token that nobody shows, and at the device. */
function set(client: WireClient, { token = randomBytes(32), lastSeen, active = true }: Shown = {}) {
  return client.request("setPresence", {
    case: "setPresence",
    value: { tokenHash: hashOf(token), shareLastSeen: lastSeen ?? false, active },
  });
}

function hide(client: WireClient, active = false) {
  return client.request("setPresence", { case: "setPresence", value: { active } });
}

function watch(client: WireClient, person: Person, token: Uint8Array = TOKEN) {
  const targets = [{ accountId: person.accountId, token }];
  return client.request("watchPresence", { case: "watchPresence", value: { targets } });
}

function heard({ frames }: WireClient): PresenceChanged[] {
  return frames.flatMap(({ response }) =>
    response.case === "presenceChanged" ? [response.value] : [],
  );
}

const onlines = (client: WireClient) => heard(client).map(({ online }) => online);

test("who shows the token is told at once, and of each change", async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1) + 42_000);
  const { alice, bob, a, b } = await talk({ clock });
  await set(a, { token: TOKEN });
  await set(b);
  await watch(b, alice);
  expect(heard(b)).toMatchObject([{ accountId: alice.accountId, online: true, lastSeenMs: 0n }]);
  await clock.pass(1_000);
  await set(a, { token: TOKEN, active: false });
  expect(onlines(b)).toEqual([true, false]);
  await clock.pass(1_000);
  await set(a, { token: TOKEN });
  expect(onlines(b)).toEqual([true, false, true]);
  expect(heard(a)).toEqual([]);
  expect(toHex(bob.accountId)).not.toBe(toHex(alice.accountId));
});

test("a watch holds for an account that comes later", async () => {
  const { server, a } = await talk();
  const carol = new Person("carol");
  await set(a);
  await watch(a, carol);
  await settled();
  expect(heard(a)).toEqual([]);
  await set(await member(server, carol), { token: TOKEN });
  expect(onlines(a)).toEqual([true]);
});

test("a wrong token, no token set and nobody there look the same", async () => {
  const { alice, a, b } = await talk();
  await set(b);
  for (const prepare of [
    () => set(a, { token: randomBytes(32), lastSeen: true }),
    () => hide(a, true),
    () => set(a, { token: TOKEN, active: false }),
  ]) {
    await prepare();
    await watch(b, alice);
    await settled();
    expect(heard(b)).toEqual([]);
  }
});

test("who hides does not see", async () => {
  const clock = new ManualClock();
  const { alice, a, b } = await talk({ clock });
  await set(a, { token: TOKEN });
  await watch(b, alice);
  expect(heard(b)).toEqual([]);
  await set(b);
  expect(onlines(b)).toEqual([true]);
  await clock.pass(1_000);
  await hide(b);
  expect(onlines(b)).toEqual([true, false]);
});

test("a connection that comes back in time was never away; else it is told to the minute", async () => {
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start + 42_000);
  const { server, alice, a, b } = await talk({ clock });
  await set(a, { token: TOKEN, lastSeen: true });
  await set(b, { lastSeen: true });
  await watch(b, alice);
  a.wire?.close();
  await settled();
  await clock.pass(GRACE_MS - 1);
  const back = await again(server, alice);
  await set(back, { token: TOKEN, lastSeen: true });
  await clock.pass(MINUTE_MS);
  expect(onlines(b)).toEqual([true]);
  back.wire?.close();
  await settled();
  await clock.pass(GRACE_MS);
  expect(heard(b).at(-1)).toMatchObject({
    online: false,
    lastSeenMs: BigInt(start + MINUTE_MS),
  });
});

test("a new hash shuts out who shows the old token", async () => {
  const clock = new ManualClock();
  const { alice, a, b } = await talk({ clock });
  await set(a, { token: TOKEN, lastSeen: true });
  await set(b, { lastSeen: true });
  await watch(b, alice);
  await clock.pass(1_000);
  const fresh = randomBytes(32);
  await set(a, { token: fresh, lastSeen: true });
  expect(onlines(b)).toEqual([true, false]);
  await watch(b, alice, TOKEN);
  expect(onlines(b)).toEqual([true, false]);
  await watch(b, alice, fresh);
  expect(onlines(b)).toEqual([true, false, true]);
});

test("a removed device is nowhere", async () => {
  const clock = new ManualClock();
  const { server, alice, a, b } = await talk({ clock });
  const laptop = alice.newDevice(2);
  const entry = alice.deviceEntry(alice.phone, { case: "addDevice", value: laptop.entry }, [
    alice.phone,
    laptop,
  ]);
  const append = (signed: typeof entry) =>
    a.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry: signed } });
  await append(entry);
  alice.takes(entry, { era: 1, version: 2 }, [alice.phone, laptop]);
  const second = await again(server, alice, { device: laptop });
  await set(second, { token: TOKEN });
  await set(b);
  await watch(b, alice);
  expect(onlines(b)).toEqual([true]);
  const removal = alice.deviceEntry(
    alice.phone,
    { case: "removeDevice", value: { deviceId: laptop.id } },
    [alice.phone],
  );
  await append(removal);
  await second.closed;
  await clock.pass(GRACE_MS);
  expect(onlines(b)).toEqual([true, false]);
});

test("a connection watches at most 64 accounts, each named once, and all together have a bound", async () => {
  const { a } = await talk({ config: { presence: { ...PRESENCE, watchesMax: 64 } } });
  const targets = (count: number) =>
    Array.from({ length: count }, () => ({ accountId: randomBytes(16), token: TOKEN }));
  const ask = (client: WireClient, list: ReturnType<typeof targets>) =>
    client.request("watchPresence", { case: "watchPresence", value: { targets: list } });
  await expect(ask(a, targets(65))).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  const [one] = targets(1) as [ReturnType<typeof targets>[number]];
  await expect(ask(a, [one, one])).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  for (let i = 0; i < 3; i++) await ask(a, targets(64));
});

const PRESENCE = { graceMs: GRACE_MS, watchesMax: 200, accountsMax: 100 };

test("what a connection watched is free again when it ends", async () => {
  const config = { presence: { ...PRESENCE, watchesMax: 1 } };
  const { server, alice, bob, a, b } = await talk({ config });
  await watch(a, bob);
  await expect(watch(b, alice)).rejects.toMatchObject({ code: ErrorCode.BUSY });
  a.wire?.close();
  await settled();
  await watch(b, alice);
  await expect(watch(await again(server, alice), bob)).rejects.toMatchObject({
    code: ErrorCode.BUSY,
  });
});

test("refuses what is no hash and no token", async () => {
  const { alice, a } = await talk();
  await expect(
    a.request("setPresence", { case: "setPresence", value: { tokenHash: randomBytes(31) } }),
  ).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  const target = { accountId: alice.accountId, token: TOKEN, otherToken: randomBytes(31) };
  await expect(
    a.request("watchPresence", { case: "watchPresence", value: { targets: [target] } }),
  ).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
});
