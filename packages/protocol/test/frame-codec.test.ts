import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CLIENT_FRAME_BYTES_MAX,
  concatBytes,
  DeliveryClass,
  decodeClientFrame,
  decodeServerFrame,
  ErrorCode,
  encodeClientFrame,
  encodeServerFrame,
  InvalidFrameError,
  ProtocolError,
} from "../src/index.ts";

const head = { era: 1, version: 1, hash: new Uint8Array(16).fill(7) };
const envelope = {
  id: new Uint8Array(16).fill(1),
  destinationDevice: 1,
  deliveryClass: DeliveryClass.DURABLE,
  ciphertext: new Uint8Array(420).fill(9),
};
const send = (changes: object = {}) =>
  encodeClientFrame({
    requestId: 7,
    request: {
      case: "sendMessage",
      value: { senderHead: head, recipientEnvelopes: [{ ...envelope, ...changes }] },
    },
  });

const errorOf = (bytes: Uint8Array): ProtocolError => {
  try {
    decodeClientFrame(bytes);
  } catch (error) {
    return error as ProtocolError;
  }
  throw new Error("decoded");
};

describe("a client's frame", () => {
  test("comes back as it was sent", () => {
    const frame = decodeClientFrame(send());
    expect(frame.requestId).toBe(7);
    expect(frame.request.case).toBe("sendMessage");
    const { recipientEnvelopes } = frame.request.value as {
      recipientEnvelopes: { ciphertext: Uint8Array }[];
    };
    expect(recipientEnvelopes[0]?.ciphertext).toEqual(envelope.ciphertext);
  });

  test.each([
    ["an id of another length", { id: new Uint8Array(15) }, "Envelope.id"],
    ["an empty ciphertext", { ciphertext: new Uint8Array(0) }, "Envelope.ciphertext"],
    [
      "a ciphertext that is too long",
      { ciphertext: new Uint8Array(98_305) },
      "Envelope.ciphertext",
    ],
    ["a device out of range", { destinationDevice: 128 }, "Envelope.destinationDevice"],
    ["the server's source", { sourceDevice: 1 }, "Envelope.sourceDevice"],
    ["the server's time", { acceptedAtMs: 1n }, "Envelope.acceptedAtMs"],
  ])("with %s is refused by the name of the field, and names its request", (_, changes, field) => {
    const error = errorOf(send(changes));
    expect(error).toBeInstanceOf(InvalidFrameError);
    expect(error.code).toBe(ErrorCode.INVALID_REQUEST);
    expect(error.message).toContain(field);
    expect((error as InvalidFrameError).requestId).toBe(7);
  });

  test("without a part that is required is refused", () => {
    const frame = encodeClientFrame({ requestId: 3, request: { case: "sendMessage", value: {} } });
    expect(errorOf(frame).message).toContain("SendMessageRequest.senderHead");
  });

  test("of a kind that is not known here is a frame, so that its request can be answered", () => {
    const later = new BinaryWriter().tag(900, WireType.LengthDelimited).bytes(new Uint8Array(5));
    const bytes = concatBytes(encodeClientFrame({ requestId: 3 }), later.finish());
    expect(decodeClientFrame(bytes)).toMatchObject({ requestId: 3, request: { case: undefined } });
  });

  test("with more items than allowed is refused", () => {
    const value = {
      senderHead: head,
      recipientEnvelopes: Array.from({ length: 9 }, () => envelope),
    };
    const frame = encodeClientFrame({ requestId: 3, request: { case: "sendMessage", value } });
    expect(errorOf(frame).message).toContain("SendMessageRequest.recipientEnvelopes: more than 8");
  });

  test("that was cut anywhere never passes as the whole", () => {
    const whole = send();
    const caseOf = (bytes: Uint8Array) => {
      try {
        return decodeClientFrame(bytes).request.case; // Of the request id alone: none.
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        return undefined;
      }
    };
    for (let length = 0; length < whole.length; length += 1)
      expect(caseOf(whole.subarray(0, length))).toBeUndefined();
    expect(caseOf(whole)).toBe("sendMessage");
  });

  test("above the limit is refused before it is decoded", () => {
    const error = errorOf(new Uint8Array(CLIENT_FRAME_BYTES_MAX + 1));
    expect(error.code).toBe(ErrorCode.MALFORMED_FRAME);
  });

  test("of any bytes gives a frame or a ProtocolError, nothing else", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeClientFrame(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    ));
});

describe("a server's frame", () => {
  test("may carry what only the server writes", () => {
    const bytes = encodeServerFrame({
      response: {
        case: "deliver",
        value: {
          firstOrdinal: 1n,
          envelopes: [
            { ...envelope, sourceAccount: new Uint8Array(16), sourceDevice: 1, acceptedAtMs: 5n },
          ],
        },
      },
    });
    expect(decodeServerFrame(bytes).response.case).toBe("deliver");
  });
});
