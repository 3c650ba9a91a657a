import { encodeServerFrame } from "@parley/protocol";
import { SETTINGS_DEFAULT } from "@parley/server";
import { expect, test } from "vitest";
import { addSecondDevice } from "./second-device.ts";
import { type Citizen, Town } from "./town.ts";

const HOUR_MS = 60 * 60 * 1000;
const FULL = 6;

/** Alice and Bob, who has a second device that is away; and Alice's messages have filled its mailbox. */
async function withFullSecondDevice() {
  const town = new Town({ mailbox: { ...SETTINGS_DEFAULT.mailbox, envelopesMax: FULL } });
  const [alice, bob] = await town.friends();
  await town.run(bob.messenger.close());
  const second = await addSecondDevice(town, bob);
  await bob.open();
  await bob.start();
  for (let i = 1; i <= FULL + 2; i++) await say(town, alice, bob, `text ${i}`);
  return { town, alice, bob, second };
}

/** Arrived, and the sender knows what the server said of it. */
async function say(town: Town, from: Citizen, to: Citizen, text: string): Promise<void> {
  await from.says(to, text);
  await town.pass(1_000);
}

/** To which of the recipient's devices the last messages went. */
const reachedBy = (person: Citizen) =>
  person
    .sent("sendMessage")
    .filter(({ recipientEnvelopes, leftOutOwnDevices }) => {
      return recipientEnvelopes.length > 0 && leftOutOwnDevices.length === 0;
    })
    .map(({ recipientEnvelopes }) => recipientEnvelopes.map((one) => one.destinationDevice));

test("a full device is skipped, the other gets all, and the sender leaves the full one out for a day", async () => {
  const { town, alice, bob } = await withFullSecondDevice();
  const before = reachedBy(alice).length;
  await say(town, alice, bob, "left out");
  await alice.restart();
  await say(town, alice, bob, "left out after a restart too");
  expect(reachedBy(alice).slice(before)).toEqual([[1], [1]]);
  expect(alice.sent("sendMessage").at(-1)?.leftOutRecipientDevices).toEqual([2]);
  await town.pass(25 * HOUR_MS);
  await say(town, alice, bob, "a day later");
  expect(reachedBy(alice).at(-1)).toEqual([1, 2]);
  // Still full: another day.
  await say(town, alice, bob, "and again");
  expect(reachedBy(alice).at(-1)).toEqual([1]);
});

test("a person's own full device is left out in the same way", async () => {
  const { town, alice, bob } = await withFullSecondDevice();
  const own = () =>
    bob
      .sent("sendMessage")
      .filter(
        ({ leftOutOwnDevices, ownEnvelopes }) => leftOutOwnDevices.length + ownEnvelopes.length > 0,
      )
      .at(-1);
  await say(town, bob, alice, "one that tells");
  await say(town, bob, alice, "one that knows");
  expect(own()?.ownEnvelopes).toEqual([]);
  expect(own()?.leftOutOwnDevices).toEqual([2]);
});

test("the device is told that it was skipped, and of room once there is some, until it has caught up", async () => {
  const { town, second } = await withFullSecondDevice();
  const line = await second.connect();
  await town.until(() => line.delivered === FULL);
  expect(line.all("welcome")).toMatchObject([{ skipped: true }]);
  expect(line.all("mailboxHasRoom")).toHaveLength(0);
  line.ackAll();
  await town.until(() => line.all("mailboxHasRoom").length === 1);
  line.end();
  // Its word alone takes the mark away.
  const again = await second.connect();
  expect(again.all("welcome")).toMatchObject([{ skipped: true }]);
  await again.ask("clearSkipped", { case: "clearSkipped", value: {} });
  again.end();
  expect((await second.connect()).all("welcome")).toMatchObject([{ skipped: false }]);
});

test("where the other device is full too, the one that was left out is tried at once", async () => {
  const { town, alice, bob, second } = await withFullSecondDevice();
  await say(town, alice, bob, "left out");
  expect(reachedBy(alice).at(-1)).toEqual([1]);
  await town.run(bob.messenger.close());
  for (let i = 0; i < FULL + 2; i++) await alice.messenger.sendText(bob.id, `while away ${i}`);
  await town.pass(10_000);
  const line = await second.connect();
  await town.until(() => line.delivered === FULL);
  line.ackAll();
  await town.pass(3 * 60_000);
  // It has room now, and takes what the other cannot.
  expect(line.delivered).toBeGreaterThan(FULL);
  expect(reachedBy(alice).at(-1)).toEqual([1, 2]);
  await alice.messenger.sendText(bob.id, "to the one that has room");
  await town.pass(1_000);
  expect(reachedBy(alice).at(-1)).toEqual([2]);
});

test("a device that hears of room fetches lists, asks its contacts for everything, and says so", async () => {
  const town = new Town();
  const [alice, bob] = await town.friends();
  await town.pass(30_000);
  const before = bob.said.length;
  const hasRoom = encodeServerFrame({ response: { case: "mailboxHasRoom", value: {} } });
  bob.down = (frame) => {
    bob.down = (next) => [next];
    return [hasRoom, frame];
  };
  await say(town, alice, bob, "anything");
  await town.until(() => bob.sent("clearSkipped").length === 1);
  await town.pass(30_000);
  const said = bob.said.slice(before).map(({ request }) => request.case);
  expect(said.indexOf("fetchAccountChain")).toBeGreaterThanOrEqual(0);
  expect(said.indexOf("fetchAccountChain")).toBeLessThan(said.indexOf("clearSkipped"));
  // The request is a signal to Alice's device, and her answer says that nothing is missing.
  expect(said.slice(said.indexOf("clearSkipped"))).toContain("sendMessage");
  expect(bob.heard("hole")).toEqual([]);
});
