import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { OpenSocket } from "@parley/client";
import { ClientFrameSchema, type Envelope, ServerFrameSchema } from "@parley/protocol";
import { expect, onTestFinished, test } from "vitest";
import { House, Person } from "./fixtures.ts";

const LATER_FIELD = 5_000;
const LATER_DATA = new BinaryWriter().bytes(new Uint8Array(24).fill(0xee)).finish();

/** A frame under a request id that holds nothing but a case that is not known here. */
function laterFrame(requestId: number): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).uint32(requestId);
  return writer.tag(900, WireType.LengthDelimited).raw(LATER_DATA).finish();
}

/** The same frame as somebody would write it whose schema has one more field in every message. */
function withLaterFields(schema: DescMessage, frame: Uint8Array): Uint8Array {
  const message = fromBinary(schema, frame);
  addLaterField(reflect(schema, message));
  return toBinary(schema, message);
}

function addLaterField(reflected: ReflectMessage): void {
  const { message } = reflected as { message: Message };
  const later = { no: LATER_FIELD, wireType: WireType.LengthDelimited, data: LATER_DATA };
  message.$unknown = [...(message.$unknown ?? []), later];
  for (const field of reflected.fields) {
    if (field.fieldKind === "message" && reflected.isSet(field))
      addLaterField(reflected.get(field));
    if (field.fieldKind === "list" && field.listKind === "message")
      for (const item of reflected.get(field)) addLaterField(item as ReflectMessage);
  }
}

/** The house, over a line on which every frame is changed; one may become several. */
function over(house: House, change: Change): House {
  const openSocket: OpenSocket = (url, events) => {
    const socket = house.openSocket(url, {
      ...events,
      opened: () => events.opened(),
      closed: (code) => events.closed(code),
      received: (bytes) => {
        for (const frame of change.down(bytes)) events.received(frame);
      },
    });
    return {
      send: (bytes) => {
        for (const frame of change.up(bytes)) socket.send(frame);
      },
      close: (code, reason) => socket.close(code, reason),
    };
  };
  return Object.assign(Object.create(house), { openSocket });
}

interface Change {
  down(frame: Uint8Array): Uint8Array[];
  up(frame: Uint8Array): Uint8Array[];
}

const serverOfTomorrow: Change = {
  down: (frame) => [withLaterFields(ServerFrameSchema, frame), laterFrame(0)],
  up: (frame) => [frame],
};
const clientOfTomorrow: Change = {
  down: (frame) => [frame],
  up: (frame) => [withLaterFields(ClientFrameSchema, frame)],
};

async function twoPeople(change: (house: House) => Change) {
  const house = new House();
  const line = over(house, change(house));
  const [alice, bob] = [new Person(line, "alice"), new Person(line, "bob")];
  onTestFinished(async () => {
    await alice.close();
    await bob.close();
    await house.close();
    expect([alice.fatal, bob.fatal]).toEqual([undefined, undefined]);
  });
  await alice.join();
  await bob.join();
  return { alice, bob };
}

/** Both ways, with receipts, and over a new connection. */
async function talk(alice: Person, bob: Person): Promise<void> {
  const { messageId } = await alice.messenger.sendText(bob.id, "hello");
  await bob.until(() => bob.messagesHeard().length === 1);
  await bob.messenger.sendText(alice.id, "hello yourself");
  await bob.messenger.markRead([messageId]);
  expect(await alice.messenger.reached(messageId, "read")).toBe("read");
  await alice.restart();
  await alice.messenger.caughtUp();
  await bob.messenger.sendText(alice.id, "still there?");
  await alice.until(async () => (await alice.texts(bob.id)).length === 3);
  expect(await alice.texts(bob.id)).toEqual(["hello", "hello yourself", "still there?"]);
  expect(await bob.texts(alice.id)).toEqual(await alice.texts(bob.id));
}

test("today's client works with a server that has more fields and more to say", async () => {
  const { alice, bob } = await twoPeople(() => serverOfTomorrow);
  await talk(alice, bob);
});

test("today's server works with clients that have more fields, and passes those of envelopes on", async () => {
  const delivered: Envelope[] = [];
  const { alice, bob } = await twoPeople((house) => {
    house.passDown = (frame) => {
      const { response } = fromBinary(ServerFrameSchema, frame);
      if (response.case === "deliver") delivered.push(...response.value.envelopes);
      return true;
    };
    return clientOfTomorrow;
  });
  await talk(alice, bob);
  expect(delivered.length).toBeGreaterThan(3);
  for (const { $unknown } of delivered)
    expect($unknown).toMatchObject([{ no: LATER_FIELD, data: Buffer.from(LATER_DATA) }]);
});
