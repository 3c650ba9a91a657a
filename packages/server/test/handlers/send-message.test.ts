import { DeliveryClass, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { randomBytes } from "../fixtures/keys.ts";
import { Person } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import { envelope, textOf } from "../fixtures/wire-client.ts";

test("accepts under the present epoch and a mark that grows", async () => {
  const { server, alice, bob, a } = await talk();
  const welcome = (await again(server, bob)).frames.find((f) => f.response.case === "welcome");
  const outcomes = [await a.send(alice, bob), await a.send(alice, bob)].map((each) => each.outcome);
  const [first, second] = outcomes.map((each) => each.case === "accepted" && each.value);
  if (!first || !second || welcome?.response.case !== "welcome") throw new Error("not accepted");
  expect(first.epoch).toEqual(welcome.response.value.epochs.at(-1)?.id);
  expect(second.mark).toBeGreaterThan(first.mark);
});

test("keeps what is accepted for a device that is away, in order", async () => {
  const { server, alice, bob, a, b } = await talk();
  b.wire?.close();
  for (const text of ["one", "two", "three"]) await a.send(alice, bob, { text });
  const back = await again(server, bob);
  expect((await back.deliveries(3)).map(textOf)).toEqual(["one", "two", "three"]);
});

test("answers a repeat of the same bytes with the mark of its own commit, and delivers it once", async () => {
  const { alice, bob, a, b } = await talk();
  const id = randomBytes(16);
  const first = (await a.send(alice, bob, { id, text: "once" })).outcome;
  const repeat = (await a.send(alice, bob, { id, text: "once" })).outcome;
  if (first.case !== "accepted" || repeat.case !== "accepted") throw new Error("not accepted");
  expect(repeat.value.mark).toBeGreaterThan(first.value.mark);
  await b.drain();
  expect(b.delivered.map(textOf)).toEqual(["once"]);
});

test("refuses the same id with another body while the row is there, and loses nothing", async () => {
  const { alice, bob, a, b } = await talk();
  const id = randomBytes(16);
  await a.send(alice, bob, { id, text: "first" });
  await expect(a.send(alice, bob, { id, text: "second" })).rejects.toMatchObject({
    code: ErrorCode.ENVELOPE_ID_TAKEN,
  });
  await b.drain();
  expect(b.delivered.map(textOf)).toEqual(["first"]);
});

test("stores nothing where a head differs, and names the heads that it has", async () => {
  const { alice, bob, a, b } = await talk();
  const stale = { ...bob.head, hash: randomBytes(16) };
  const { outcome } = await a.request("sendMessage", {
    case: "sendMessage",
    value: {
      recipientAccount: bob.accountId,
      recipientHead: stale,
      senderHead: alice.head,
      recipientEnvelopes: [envelope(1, "lost?")],
    },
  });
  if (outcome.case !== "deviceListMismatch") throw new Error(outcome.case);
  expect(outcome.value.recipientHead).toMatchObject(bob.head);
  expect(outcome.value.senderHead).toMatchObject(alice.head);
  await b.drain();
  expect(b.delivered).toEqual([]);
});

test("says that an account is unknown", async () => {
  const { alice, a } = await talk();
  expect((await a.send(alice, new Person("carol"))).outcome.case).toBe("unknownAccount");
});

test("refuses a message that does not name each device once", async () => {
  const { alice, bob, a } = await talk();
  const send = (more: object) =>
    a.request("sendMessage", {
      case: "sendMessage",
      value: {
        recipientAccount: bob.accountId,
        recipientHead: bob.head,
        senderHead: alice.head,
        recipientEnvelopes: [envelope(1, "x")],
        ...more,
      },
    });
  for (const wrong of [
    { recipientEnvelopes: [] },
    { recipientEnvelopes: [envelope(2, "x")] },
    { recipientEnvelopes: [envelope(1, "x"), envelope(1, "y")] },
    { leftOutRecipientDevices: [1] },
    { ownEnvelopes: [envelope(1, "to myself")] },
    { recipientAccount: alice.accountId, recipientHead: alice.head },
    { recipientAccount: new Uint8Array(), recipientEnvelopes: [] },
    { recipientEnvelopes: [{ ...envelope(1, "x"), deliveryClass: DeliveryClass.LIVE }] },
    { recipientEnvelopes: [{ ...envelope(1, "x"), sourceDevice: 1 }] },
    { recipientEnvelopes: [{ ...envelope(1, "x"), acceptedAtMs: 1n }] },
  ])
    await expect(send(wrong)).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
});

test("refuses as retryable where every device of the recipient is left out", async () => {
  const { alice, bob, a } = await talk();
  const sending = a.request("sendMessage", {
    case: "sendMessage",
    value: {
      recipientAccount: bob.accountId,
      recipientHead: bob.head,
      senderHead: alice.head,
      leftOutRecipientDevices: [1],
    },
  });
  await expect(sending).rejects.toMatchObject({
    code: ErrorCode.MAILBOX_FULL,
    retryAfterMs: expect.any(Number),
  });
});

test("remembers the state number of a send, and tells it at the next hello", async () => {
  const { server, alice, bob, a } = await talk();
  await a.send(alice, bob, { stateNumber: 41n });
  const back = await again(server, alice, { stateNumber: 7n });
  expect((await back.frame("welcome")).highestStateNumber).toBe(41n);
});
