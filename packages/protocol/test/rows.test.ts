import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  DELIVER_ENVELOPES_FIELD,
  DELIVER_FIRST_ORDINAL_FIELD,
  type Deliver,
  DeliverSchema,
  decodeServerFrame,
  EnvelopeSchema,
  encodeDelivery,
  encodeRow,
  envelopeBytesOfRow,
  SERVER_FRAME_DELIVER_FIELD,
  ServerFrameSchema,
} from "../src/index.ts";

const envelope = (n: number) =>
  create(EnvelopeSchema, {
    id: new Uint8Array(16).fill(n),
    destinationDevice: n,
    ciphertext: new Uint8Array(300 * n).fill(n),
  });
const server = {
  sourceAccount: new Uint8Array(16).fill(8),
  sourceDevice: 3,
  acceptedAtMs: 1_700_000_000_000n,
};

test("a delivery made of rows decodes as the frame that the schema describes", () => {
  const rows = [1, 2, 3].map((n) => encodeRow(envelope(n), server));
  const frame = decodeServerFrame(encodeDelivery(41n, rows));
  const { firstOrdinal, envelopes } = frame.response.value as Deliver;
  expect(frame.requestId).toBe(0);
  expect(firstOrdinal).toBe(41n);
  expect(envelopes.map((each) => each.id[0])).toEqual([1, 2, 3]);
  expect(envelopes.map((each) => each.ciphertext.length)).toEqual([300, 600, 900]);
  for (const each of envelopes) {
    expect(each.sourceAccount).toEqual(server.sourceAccount);
    expect(each.sourceDevice).toBe(3);
    expect(each.acceptedAtMs).toBe(server.acceptedAtMs);
  }
});

test("a row gives back the envelope that it wraps", () => {
  const found = fromBinary(EnvelopeSchema, envelopeBytesOfRow(encodeRow(envelope(2), server)));
  expect(found.ciphertext).toEqual(envelope(2).ciphertext);
});

test("the numbers of the fields are those of the schema", () => {
  const numberOf = (schema: typeof DeliverSchema | typeof ServerFrameSchema, name: string) =>
    schema.fields.find((field) => field.name === name)?.number;
  expect(numberOf(DeliverSchema, "first_ordinal")).toBe(DELIVER_FIRST_ORDINAL_FIELD);
  expect(numberOf(DeliverSchema, "envelopes")).toBe(DELIVER_ENVELOPES_FIELD);
  expect(numberOf(ServerFrameSchema, "deliver")).toBe(SERVER_FRAME_DELIVER_FIELD);
});
