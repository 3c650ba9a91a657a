import { CloseCode, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { randomBytes, signingKey } from "../fixtures/keys.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";
import { type Device, type Person, prekeysOf } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import { envelope, textOf, type WireClient } from "../fixtures/wire-client.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const append = async (client: WireClient, entry: { body: Uint8Array; signature: Uint8Array }) =>
  (await client.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry } }))
    .outcome;

/** Links a second device, and connects it. */
async function link(client: WireClient, person: Person): Promise<Device> {
  const laptop = person.newDevice(2);
  const after = [...person.devices, laptop];
  const entry = person.deviceEntry(person.phone, { case: "addDevice", value: laptop.entry }, after);
  expect((await append(client, entry)).case).toBe("accepted");
  person.takes(entry, { era: person.era, version: person.version + 1 }, after);
  return laptop;
}

function remove(person: Person, signer: Device, removed: Device) {
  const after = person.devices.filter(({ id }) => id !== removed.id);
  return {
    after,
    entry: person.deviceEntry(
      signer,
      { case: "removeDevice", value: { deviceId: removed.id } },
      after,
    ),
  };
}

test("takes a device's entry, tells the other devices, and delivers to the new one", async () => {
  const { server, alice, bob, a, b } = await talk();
  const laptop = await link(b, bob);
  const l = await again(server, bob, { device: laptop });
  const send = (envelopes: ReturnType<typeof envelope>[]) =>
    a.request("sendMessage", {
      case: "sendMessage",
      value: {
        recipientAccount: bob.accountId,
        recipientHead: bob.head,
        senderHead: alice.head,
        recipientEnvelopes: envelopes,
      },
    });
  await expect(send([envelope(1, "only one")])).rejects.toMatchObject({
    code: ErrorCode.INVALID_REQUEST,
  });
  await send([envelope(1, "to the phone"), envelope(2, "to the laptop")]);
  expect((await b.deliveries(1)).map(textOf)).toEqual(["to the phone"]);
  expect((await l.deliveries(1)).map(textOf)).toEqual(["to the laptop"]);

  const { entry, after } = remove(bob, bob.phone, laptop);
  expect((await append(b, entry)).case).toBe("accepted");
  bob.takes(entry, { era: 1, version: 3 }, after);
  expect((await l.closed).code).toBe(CloseCode.DEVICE_REMOVED);
});

test("tells a connected device that its account moved", async () => {
  const { server, bob, b } = await talk();
  const laptop = await link(b, bob);
  const l = await again(server, bob, { device: laptop });
  const tablet = bob.newDevice(3);
  const after = [...bob.devices, tablet];
  const entry = bob.deviceEntry(laptop, { case: "addDevice", value: tablet.entry }, after);
  await append(l, entry);
  bob.takes(entry, { era: 1, version: 3 }, after);
  expect((await b.frame("accountChainMoved")).ownHead).toMatchObject(bob.head);
  await l.drain();
  expect(l.frames.some(({ response }) => response.case === "accountChainMoved")).toBe(false);
});

test("deletes a removed device's mail and prekeys in the same change", async () => {
  const { server, alice, bob, a, b } = await talk();
  const laptop = await link(b, bob);
  const l = await again(server, bob, { device: laptop });
  await l.request("uploadPrekeys", {
    case: "uploadPrekeys",
    value: prekeysOf(laptop, { oneTime: [1] }),
  });
  l.wire?.close();
  await a.request("sendMessage", {
    case: "sendMessage",
    value: {
      recipientAccount: bob.accountId,
      recipientHead: bob.head,
      senderHead: alice.head,
      recipientEnvelopes: [envelope(1, "stays"), envelope(2, "goes")],
    },
  });
  const { entry, after } = remove(bob, bob.phone, laptop);
  await append(b, entry);
  bob.takes(entry, { era: 1, version: 3 }, after);

  // The same id for another key is another device, with nothing of the first.
  const successor = bob.newDevice(2);
  const withIt = [...after, successor];
  const adding = bob.deviceEntry(bob.phone, { case: "addDevice", value: successor.entry }, withIt);
  await append(b, adding);
  bob.takes(adding, { era: 1, version: 4 }, withIt);
  const s = await again(server, bob, { device: successor });
  await s.drain();
  expect(s.delivered).toEqual([]);
  const welcome = await s.frame("welcome");
  expect(welcome.prekeys).toMatchObject({ signedPrekeyId: 0, oneTimeCount: 0 });
});

test("answers a repeat as accepted, and what comes too late as superseded", async () => {
  const { bob, b } = await talk();
  const [laptop, tablet] = [bob.newDevice(2), bob.newDevice(3)];
  const added = (device: Device) => {
    const after = [bob.phone, device];
    return bob.deviceEntry(bob.phone, { case: "addDevice", value: device.entry }, after);
  };
  const [first, second] = [added(laptop), added(tablet)];
  expect((await append(b, first)).case).toBe("accepted");
  expect((await append(b, first)).case).toBe("accepted");
  bob.takes(first, { era: 1, version: 2 }, [bob.phone, laptop]);
  const outcome = await append(b, second);
  if (outcome.case !== "superseded") throw new Error(outcome.case);
  expect(outcome.value.head).toMatchObject(bob.head);
});

test("lets only the root begin the next era, and what it sets stands", async () => {
  const { server, bob, b } = await talk();
  const laptop = await link(b, bob);
  const entry = bob.rootEntry({ case: "setDevices", value: { devices: [bob.phone.entry] } }, [
    bob.phone,
  ]);
  bob.entries.push(entry);
  expect((await append(b, entry)).case).toBe("accepted");
  const chain = await b.request("fetchAccountChain", {
    case: "fetchAccountChain",
    value: { accountId: bob.accountId },
  });
  expect(chain.entries.map(({ body }) => body)).toEqual([entry.body]);
  const whole = await b.request("fetchAccountChain", {
    case: "fetchAccountChain",
    value: { accountId: bob.accountId, fromEra: 1, fromVersion: 1 },
  });
  expect(whole.entries).toHaveLength(3);
  await expect(again(server, bob, { device: laptop })).rejects.toMatchObject({
    code: ErrorCode.LOGIN_REFUSED,
  });
});

test("refuses what does not hold: consent, state, signer, a taken id, a device's set", async () => {
  const { alice, bob, b } = await talk();
  const laptop = bob.newDevice(2);
  const strangers = { case: "addDevice" as const, value: { ...alice.phone.entry, deviceId: 2 } };
  const stranger = { ...alice.phone, id: 2, entry: strangers.value };
  const add = { case: "addDevice" as const, value: laptop.entry };
  const both = [bob.phone, laptop];
  for (const wrong of [
    bob.deviceEntry(bob.phone, strangers, [bob.phone, stranger]),
    bob.deviceEntry(bob.phone, add, [bob.phone]),
    bob.deviceEntry(laptop, add, both),
    bob.deviceEntry({ ...bob.phone, key: signingKey() }, add, both),
    bob.deviceEntry(bob.phone, { case: "addDevice", value: bob.phone.entry }, [bob.phone]),
    bob.deviceEntry(bob.phone, { case: "setDevices", value: { devices: [laptop.entry] } }, [
      laptop,
    ]),
    bob.deviceEntry(bob.phone, { case: "removeDevice", value: { deviceId: 1 } }, []),
    bob.deviceEntry(bob.phone, { case: "rotateRoot", value: { rootKey: randomBytes(32) } }, [
      bob.phone,
    ]),
  ])
    await expect(append(b, wrong)).rejects.toMatchObject({
      code: ErrorCode.INVALID_ACCOUNT_ENTRY,
    });
});

test("lets no device younger than 7 days remove an older one", async () => {
  const clock = new ManualClock();
  const { server, bob, b } = await talk({ clock });
  await clock.pass(DAY_MS);
  const laptop = await link(b, bob);
  const l = await again(server, bob, { device: laptop });
  const { entry } = remove(bob, laptop, bob.phone);
  await expect(append(l, entry)).rejects.toMatchObject({ code: ErrorCode.INVALID_ACCOUNT_ENTRY });
  await clock.pass(7 * DAY_MS);
  expect((await append(l, entry)).case).toBe("accepted");
});
