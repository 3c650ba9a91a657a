import { create } from "@bufbuild/protobuf";
import {
  decodeClientFrame,
  decodeServerFrame,
  EnvelopeSchema,
  ErrorCode,
  encodeDelivery,
  encodeRow,
  encodeServerFrame,
} from "@parley/protocol";
import { expect, test } from "vitest";
import { ENVELOPE_BYTES } from "../src/networks/network.ts";
import { accountOf } from "../src/networks/parley/account.ts";
import { ack } from "../src/networks/parley/ack.ts";
import { MessageTemplate, stampAt } from "../src/networks/parley/message-template.ts";
import { ServerFrameScan } from "../src/networks/parley/server-frame.ts";
import { payloadOffset } from "../src/networks/parley/wire/client-frame.ts";

const [alice, bob] = [accountOf("test", 1), accountOf("test", 2)];

test("a message from the template is a request that a server decodes", () => {
  const first = request({ number: 0, sentAt: 1.5 });
  const other = request({ number: 16_300, sentAt: 2.5 });
  for (const { value } of [first, other]) {
    expect(value.recipientAccount).toEqual(bob.accountId);
    expect(value.recipientEnvelopes.length).toBe(1);
    expect(value.recipientHead?.hash).toEqual(bob.head.hash);
    expect(value.senderHead?.hash).toEqual(alice.head.hash);
  }
  expect(first.requestId).not.toBe(other.requestId);
  const [a, b] = [first, other].map(({ value }) => value.recipientEnvelopes[0]);
  expect(a?.id).not.toEqual(b?.id);
  expect(stampAt(Buffer.from(b?.ciphertext ?? []), 0)).toEqual({ number: 16_300, sentAt: 2.5 });
});

test("the scan sees what the codec encodes", () => {
  const seen: string[] = [];
  const scan = new ServerFrameScan({
    accepted: () => void seen.push("accepted"),
    envelope: (bytes, start) => void seen.push(`message ${stampAt(bytes, start).number}`),
    delivered: (lastOrdinal) => void seen.push(`up to ${lastOrdinal}`),
    other: ({ response }) => void seen.push(String(response.case)),
  });
  const accepted = { epoch: new Uint8Array(16), mark: 2n ** 40n };
  const outcome = { case: "accepted" as const, value: accepted };
  const feed = (frame: Uint8Array) => {
    // Not at the beginning of its buffer, as in a read of many frames.
    const bytes = Buffer.concat([Buffer.from("garbage"), frame]);
    scan.scan(bytes, 7, bytes.length);
  };
  feed(
    encodeServerFrame({ requestId: 300, response: { case: "sendMessage", value: { outcome } } }),
  );
  const rows = [7, 8].map((number) => {
    const envelope = request({ number, sentAt: 0 }).value.recipientEnvelopes[0];
    const stamp = {
      sourceAccount: alice.accountId,
      sourceDevice: 1,
      acceptedAtMs: 1_700_000_000_000n,
    };
    return encodeRow(envelope ?? create(EnvelopeSchema), stamp);
  });
  feed(encodeDelivery(2n ** 33n, rows));
  feed(encodeServerFrame({ response: { case: "drained", value: {} } }));
  const error = { code: ErrorCode.BUSY, message: "no" };
  feed(encodeServerFrame({ requestId: 5, response: { case: "error", value: error } }));
  expect(seen).toEqual([
    "accepted",
    "message 7",
    "message 8",
    `up to ${2 ** 33 + 1}`,
    "drained",
    "error",
  ]);
});

test.each([1, 127, 128, 300_000, 2 ** 33])("an ack up to %i is the codec's", (upTo) => {
  const { request } = decodeClientFrame(ack(upTo));
  expect(request.case).toBe("ack");
  if (request.case === "ack") expect(request.value.upToOrdinal).toBe(BigInt(upTo));
});

test("an envelope is as long as a real one", () => {
  const { value } = request({ number: 0, sentAt: 0 });
  const row = encodeRow(value.recipientEnvelopes[0] ?? create(EnvelopeSchema), {
    sourceAccount: alice.accountId,
    sourceDevice: 1,
    acceptedAtMs: 1n,
  });
  expect(decodeServerFrame(encodeDelivery(1n, [row])).response.case).toBe("deliver");
  expect(ENVELOPE_BYTES).toBe(420);
});

function request(message: { number: number; sentAt: number }) {
  const key = Buffer.from("01020304", "hex");
  const template = new MessageTemplate(alice, bob, key);
  const frame = Buffer.alloc(template.frameBytes + 3);
  template.put(frame, 3, message);
  const payload = frame.subarray(3 + payloadOffset(template.frameBytes - 8));
  const plain = payload.map((byte, i) => byte ^ (key[i & 3] as number));
  const { requestId, request: sent } = decodeClientFrame(Uint8Array.from(plain));
  if (sent.case !== "sendMessage") throw new Error(`a ${sent.case}`);
  return { requestId, value: sent.value };
}
