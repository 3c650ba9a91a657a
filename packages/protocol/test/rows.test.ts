import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  concatBytes,
  DELIVER_ENVELOPES_FIELD,
  DELIVER_FIRST_ORDINAL_FIELD,
  type Deliver,
  DeliverSchema,
  decodeServerFrame,
  type Envelope,
  EnvelopeSchema,
  encodeAccepted,
  encodeDelivery,
  encodeProfileHead,
  encodeRow,
  encodeServerFrame,
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

/** What a row says, by the general encoder: the sender's fields, then the server's. */
const rowByTheBook = (envelope: Envelope, own: typeof server) =>
  toBinary(
    DeliverSchema,
    create(DeliverSchema, {
      envelopes: [
        fromBinary(
          EnvelopeSchema,
          concatBytes(
            toBinary(EnvelopeSchema, envelope),
            toBinary(EnvelopeSchema, create(EnvelopeSchema, own)),
          ),
        ),
      ],
    }),
  );

test("rows, deliveries and accepted are byte for byte what the general encoder makes", () =>
  fc.assert(
    fc.property(
      fc.record({
        id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
        destinationDevice: fc.nat(127),
        deliveryClass: fc.constantFrom(0, 1, 2),
        urgent: fc.boolean(),
        ciphertext: fc.uint8Array({ minLength: 1, maxLength: 400 }),
      }),
      fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
      fc.nat(2 ** 31),
      (fields, number, requestId) => {
        const sent = create(EnvelopeSchema, fields);
        const own = { ...server, acceptedAtMs: number };
        const row = encodeRow(sent, own);
        expect(row).toEqual(rowByTheBook(sent, own));
        const { envelopes } = fromBinary(DeliverSchema, row);
        const response = {
          case: "deliver" as const,
          value: { firstOrdinal: number + 1n, envelopes },
        };
        expect(encodeDelivery(number + 1n, [row])).toEqual(encodeServerFrame({ response }));
        const epoch = fields.id;
        const accepted = {
          case: "sendMessage" as const,
          value: { outcome: { case: "accepted" as const, value: { epoch, mark: number } } },
        };
        expect(
          encodeAccepted(requestId, { epoch, mark: number }, (n) => new Uint8Array(n)),
        ).toEqual(encodeServerFrame({ requestId, response: accepted }));
      },
    ),
  ));

test("the head of a profile's answer stands before it as the general encoder has it", () =>
  fc.assert(
    fc.property(
      fc.nat(0xffff_ffff),
      fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(16_380, 16_384, 65_536)),
      (requestId, length) => {
        const sealedProfile = new Uint8Array(length).fill(7);
        const response = { case: "fetchProfile" as const, value: { sealedProfile } };
        expect(concatBytes(encodeProfileHead(requestId, length), sealedProfile)).toEqual(
          encodeServerFrame({ requestId, response }),
        );
      },
    ),
  ));

test("a row keeps fields that this version does not know", () => {
  const later = new Uint8Array([0x92, 0x03, 0x02, 0x68, 0x69]); // Field 50: "hi"
  const sent = fromBinary(
    EnvelopeSchema,
    concatBytes(toBinary(EnvelopeSchema, envelope(1)), later),
  );
  const found = fromBinary(EnvelopeSchema, envelopeBytesOfRow(encodeRow(sent, server)));
  expect(found.$unknown).toMatchObject([{ no: 50 }]);
  expect(found.sourceDevice).toBe(3);
});

test("the numbers of the fields are those of the schema", () => {
  const numberOf = (schema: typeof DeliverSchema | typeof ServerFrameSchema, name: string) =>
    schema.fields.find((field) => field.name === name)?.number;
  expect(numberOf(DeliverSchema, "first_ordinal")).toBe(DELIVER_FIRST_ORDINAL_FIELD);
  expect(numberOf(DeliverSchema, "envelopes")).toBe(DELIVER_ENVELOPES_FIELD);
  expect(numberOf(ServerFrameSchema, "deliver")).toBe(SERVER_FRAME_DELIVER_FIELD);
});
