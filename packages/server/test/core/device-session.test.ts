import { CloseCode } from "@parley/protocol";
import { expect, test } from "vitest";
import type { Ports } from "../../src/ports/ports.ts";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { connect, ORIGIN, testFolder, testServer } from "../fixtures/embedded.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";
import { Person } from "../fixtures/person.ts";
import { again, member, talk } from "../fixtures/talk.ts";
import { textOf } from "../fixtures/wire-client.ts";

/** Nothing that is said on the bus arrives. */
const deafBus = (ports: Ports): Ports => ({
  ...ports,
  bus: { wake: async () => true, subscribe: async () => undefined, unsubscribe: () => undefined },
});

test("delivers at the next refresh where every wake-up is lost", async () => {
  const clock = new ManualClock();
  const { alice, bob, a, b } = await talk({ clock, wrapPorts: deafBus });
  await a.send(alice, bob, { text: "late" });
  await settled();
  expect(b.delivered).toEqual([]);
  await clock.pass(SETTINGS_DEFAULT.refreshMs);
  expect(b.delivered.map(textOf)).toEqual(["late"]);
});

test("finds out at the next refresh that it was replaced, where every wake-up is lost", async () => {
  const clock = new ManualClock();
  const { server, alice, a } = await talk({ clock, wrapPorts: deafBus });
  const newer = await again(server, alice);
  await clock.pass(SETTINGS_DEFAULT.refreshMs);
  expect((await a.closed).code).toBe(CloseCode.REPLACED);
  await newer.drain();
});

test("finds out at the next refresh that its account moved, where every wake-up is lost", async () => {
  const clock = new ManualClock();
  const { server, bob, b } = await talk({ clock, wrapPorts: deafBus });
  const laptop = bob.newDevice(2);
  const both = [bob.phone, laptop];
  const linked = bob.deviceEntry(bob.phone, { case: "addDevice", value: laptop.entry }, both);
  await b.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry: linked } });
  bob.takes(linked, { era: 1, version: 2 }, both);
  const l = await again(server, bob, { device: laptop });
  const removal = { case: "removeDevice" as const, value: { deviceId: 2 } };
  const removed = bob.deviceEntry(bob.phone, removal, [bob.phone]);
  await b.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry: removed } });
  await clock.pass(SETTINGS_DEFAULT.refreshMs);
  expect((await l.closed).code).toBe(CloseCode.DEVICE_REMOVED);
});

test("says that a mailbox which was full has room again, and says so until it is cleared", async () => {
  const mailbox = { ...SETTINGS_DEFAULT.mailbox, envelopesMax: 4 };
  const clock = new ManualClock();
  const { server, alice, bob, a, b } = await talk({
    clock,
    config: { origins: [ORIGIN], mailbox },
  });
  const laptop = bob.newDevice(2);
  const both = [bob.phone, laptop];
  const linked = bob.deviceEntry(bob.phone, { case: "addDevice", value: laptop.entry }, both);
  await b.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry: linked } });
  bob.takes(linked, { era: 1, version: 2 }, both);
  const l = await again(server, bob, { device: laptop });
  l.acksByItself = true;
  let skipped: readonly number[] = [];
  for (let i = 0; i < 5; i++) {
    const { outcome } = await a.sendToAll(alice, bob, `m${i}`);
    if (outcome.case === "accepted") skipped = outcome.value.skippedRecipientDevices;
    await clock.pass(31_000); // The laptop's acknowledged envelopes go.
  }
  expect(skipped).toEqual([1]);
  expect(b.delivered.map(textOf)).toEqual(["m0", "m1", "m2", "m3"]);
  const said = () => b.frames.filter(({ response }) => response.case === "mailboxHasRoom").length;
  expect(said()).toBe(0);
  b.ack(4n);
  await settled();
  await clock.pass(31_000);
  expect(said()).toBe(1);

  const back = await again(server, bob);
  expect((await back.frame("welcome")).skipped).toBe(true);
  await back.frame("mailboxHasRoom");
  await back.request("clearSkipped", { case: "clearSkipped", value: {} });
  const cleared = await again(server, bob);
  expect((await cleared.frame("welcome")).skipped).toBe(false);
});

test("does not take a device that is connected and silent for one that is away", async () => {
  const clock = new ManualClock();
  const dayMs = 24 * 60 * 60 * 1000;
  const config = { origins: [ORIGIN], refreshMs: dayMs };
  const { alice, bob, a, b } = await talk({ clock, config });
  await clock.pass(100 * dayMs);
  await a.send(alice, bob, { text: "still there" });
  expect((await b.deliveries(1)).map(textOf)).toEqual(["still there"]);
});

test("delivers to own other devices", async () => {
  const { server, alice, bob, a, b } = await talk();
  const laptop = alice.newDevice(2);
  const both = [alice.phone, laptop];
  const linked = alice.deviceEntry(alice.phone, { case: "addDevice", value: laptop.entry }, both);
  await a.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry: linked } });
  alice.takes(linked, { era: 1, version: 2 }, both);
  const l = await again(server, alice, { device: laptop });
  expect((await a.sendToAll(alice, bob, "to both")).outcome.case).toBe("accepted");
  expect((await l.deliveries(1)).map(textOf)).toEqual(["to both"]);
  expect((await b.deliveries(1)).map(textOf)).toEqual(["to both"]);
});

test("does not deliver again what was acknowledged before it stopped", async () => {
  const dataFolder = testFolder();
  const server = testServer({ dataFolder });
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, b] = [await member(server, alice), await member(server, bob)];
  await a.send(alice, bob);
  await b.deliveries(1);
  b.ack(1n);
  await b.drain();
  await server.stop();
  const next = testServer({ dataFolder });
  const back = connect(next);
  await back.hello(bob);
  await back.drain();
  expect(back.delivered).toEqual([]);
});
