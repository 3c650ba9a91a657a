import { expect, test } from "vitest";
import {
  connectPacket,
  PACKET,
  PacketReader,
  publishAckPacket,
  publishPacket,
  subscribePacket,
} from "../src/networks/mqtt/mqtt-packet.ts";
import { Tally } from "../src/networks/tally.ts";
import { attributeOf, StanzaReader } from "../src/networks/xmpp/stanza-reader.ts";

// MQTT 3.1.1, sections 3.1, 3.4 and 3.8.
test("MQTT packets are those of the specification", () => {
  expect(connectPacket("ab").toString("hex")).toBe(
    "100e00044d515454040000000002 6162".replace(" ", ""),
  );
  expect(subscribePacket(10, "a/b").toString("hex")).toBe("8208000a0003612f6201");
  expect(publishAckPacket(258).toString("hex")).toBe("40020102");
});

test.each([1, 3, 1000])("MQTT packets come whole, %i bytes at a time", (step) => {
  const payloads = [10, 130, 20_000].map((bytes) => Buffer.alloc(bytes, bytes));
  const stream = Buffer.concat(payloads.map((payload) => publishPacket("to/7", payload)));
  const came: string[] = [];
  const reader = new PacketReader((type, bytes, start, end) => {
    expect(type).toBe(PACKET.publish);
    came.push(bytes.toString("hex", start + 2 + 4 + 2, end));
  });
  for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
  expect(came).toEqual(payloads.map((payload) => payload.toString("hex")));
});

test.each([1, 7, 1000])("stanzas come whole, %i bytes at a time", (step) => {
  const elements = [
    "<stream:stream id='1' xmlns='jabber:client'>",
    "<stream:features><bind xmlns='b'/></stream:features>",
    "<presence from='a@b/c'/>",
    "<message id='5/17.25' from='a'><body>x/y</body><stanza-id id='9'/></message>",
    "<r xmlns='urn:xmpp:sm:3'/>",
  ];
  const stream = Buffer.from(`<?xml version='1.0'?>${elements.join("")}`);
  const came: string[] = [];
  const reader = new StanzaReader((_, stanza) => came.push(stanza));
  for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
  expect(came.slice(1)).toEqual(elements);
  expect(attributeOf(elements[3] ?? "", "id")).toBe("5/17.25");
});

test("a message that is missing, or comes twice, ends the load", () => {
  const events = { accepted() {}, delivered() {}, batch() {}, failed() {} };
  const missing = new Tally(events);
  missing.deliver(0, 0);
  expect(() => missing.deliver(2, 0)).toThrow("message 2 came where 1 was due");
  const twice = new Tally(events);
  twice.deliver(0, 0);
  expect(() => twice.deliver(0, 0)).toThrow("message 0");
});
