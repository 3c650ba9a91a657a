import { create, toBinary } from "@bufbuild/protobuf";
import {
  CLIENT_FRAME_BYTES_MAX,
  ClientFrameSchema,
  CloseCode,
  ErrorCode,
  encodeClientFrame,
  LOGIN_FRAME_BYTES_MAX,
} from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { connect, testServer } from "../fixtures/embedded.ts";
import { settled } from "../fixtures/manual-clock.ts";
import { Person } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import { type Request, textOf, type WireClient } from "../fixtures/wire-client.ts";

const refusalOf = async (client: WireClient) => {
  const { code } = await client.frame("error");
  return { error: code, close: (await client.closed).code };
};
const malformed = { error: ErrorCode.MALFORMED_FRAME, close: CloseCode.MALFORMED_FRAME };

test("ends on a truncated frame, and keeps what was accepted before", async () => {
  const { server, alice, bob, a, b } = await talk();
  await a.send(alice, bob, { text: "before" });
  const whole = encodeClientFrame({ requestId: 9, request: { case: "drain", value: {} } });
  b.sendRaw(whole.subarray(0, whole.length - 1));
  expect(await refusalOf(b)).toEqual(malformed);
  const back = await again(server, bob);
  expect((await back.deliveries(1)).map(textOf)).toEqual(["before"]);
});

test("ends on an oversized frame: a smaller size counts before login", async () => {
  const { server, a } = await talk();
  const stranger = connect(server);
  stranger.sendRaw(new Uint8Array(LOGIN_FRAME_BYTES_MAX + 1));
  expect(await refusalOf(stranger)).toEqual(malformed);
  a.sendRaw(new Uint8Array(CLIENT_FRAME_BYTES_MAX + 1));
  expect(await refusalOf(a)).toEqual(malformed);
});

// A request of a later version: field 900, empty, and request id 5.
const LATER_REQUEST = Uint8Array.of(0x08, 0x05, 0xa2, 0x38, 0x00);

test("answers a request that it does not know as unsupported, before login and after, and stays", async () => {
  const { server, alice, bob, a } = await talk();
  a.sendRaw(LATER_REQUEST);
  const error = await a.frame("error", (_, { requestId }) => requestId === 5);
  expect(error.code).toBe(ErrorCode.UNSUPPORTED);
  expect((await a.send(alice, bob)).outcome.case).toBe("accepted");
  const newer = connect(server);
  newer.sendRaw(LATER_REQUEST);
  expect((await newer.frame("error")).code).toBe(ErrorCode.UNSUPPORTED);
  await newer.hello(bob);
  await newer.drain();
});

test("refuses a field outside its limits by its request, and stays", async () => {
  const { a } = await talk();
  await expect(
    a.request("lookUpHandle", { case: "lookUpHandle", value: { handle: "x".repeat(40) } }),
  ).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  await a.drain();
});

test("refuses a request without an id", async () => {
  const { a } = await talk();
  a.sendFrame({ request: { case: "drain", value: {} } });
  expect((await a.frame("error")).code).toBe(ErrorCode.INVALID_REQUEST);
});

test("takes nothing but sign-up, hello and steps of linking before login", async () => {
  const server = testServer();
  const requests: Request[] = [
    { case: "drain", value: {} },
    { case: "ack", value: { upToOrdinal: 1n } },
    { case: "lookUpHandle", value: { handle: "alice" } },
    { case: "setPresence", value: {} },
  ];
  for (const request of requests) {
    const client = connect(server);
    client.sendFrame({ requestId: 1, request });
    expect((await client.frame("error")).code).toBe(ErrorCode.OUT_OF_TURN);
    await client.closed;
  }
});

test("ends on an ack beyond what was delivered, and loses nothing", async () => {
  const { server, alice, bob, a, b } = await talk();
  await a.send(alice, bob, { text: "kept" });
  await b.deliveries(1);
  b.ack(2n);
  expect((await b.frame("error")).code).toBe(ErrorCode.INVALID_REQUEST);
  await b.closed;
  const back = await again(server, bob);
  expect((await back.deliveries(1)).map(textOf)).toEqual(["kept"]);
});

test("drops a reader that takes nothing, and keeps its mail", async () => {
  const server = testServer();
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, first] = [connect(server), connect(server)];
  await a.signUp(alice);
  await a.hello(alice);
  await first.signUp(bob);
  const wire = { bufferedBytes: 0, probes: 0 };
  const slow = connect(server, wire);
  await slow.hello(bob);
  await slow.drain();
  wire.bufferedBytes = 100 * 1024 * 1024;
  await a.send(alice, bob, { text: "kept" });
  expect((await slow.closed).code).toBe(CloseCode.SLOW_READER);
  const back = await again(server, bob);
  expect((await back.deliveries(1)).map(textOf)).toEqual(["kept"]);
});

test("refuses more requests at once than it allows, as retryable", async () => {
  const { alice, bob, a } = await talk();
  const sends = await Promise.allSettled(Array.from({ length: 200 }, () => a.send(alice, bob)));
  const refused = sends.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(refused.length).toBeGreaterThan(0);
  for (const each of refused) expect(each).toMatchObject({ code: ErrorCode.BUSY });
  await a.send(alice, bob);
});

test("survives whatever bytes come", async () => {
  const { server, alice, bob, a } = await talk();
  const frame = toBinary(
    ClientFrameSchema,
    create(ClientFrameSchema, {
      requestId: 3,
      request: { case: "lookUpHandle", value: { handle: "bob" } },
    }),
  );
  const mutated = fc
    .array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Uint8Array.from(frame);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), async (bytes) => {
      const client = await again(server, bob);
      client.sendRaw(bytes);
      await settled();
      client.wire?.close();
    }),
    { numRuns: 150 },
  );
  expect((await a.send(alice, bob)).outcome.case).toBe("accepted");
});
