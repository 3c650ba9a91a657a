import { CloseCode, ErrorCode, ProtocolError } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionLostError } from "../../src/connection/connection-lost-error.ts";
import { ConnectionBench, deliver, error, welcome } from "../fixtures/connection-bench.ts";
import { settle } from "../fixtures/manual-clock.ts";

let bench: ConnectionBench;
let server: ConnectionBench["server"];
let clock: ConnectionBench["clock"];
let connection: ConnectionBench["connection"];
let log: ConnectionBench["log"];
beforeEach(() => {
  bench = new ConnectionBench();
  ({ server, clock, connection, log } = bench);
});

describe("requests", () => {
  test("are paired with their answers by id, whatever the order", async () => {
    const socket = await bench.online();
    const first = connection.request("lookUpHandle", { handle: "bob" });
    const second = connection.request("fetchAccountChain", { accountId: new Uint8Array(16) });
    await socket.answer("fetchAccountChain", { case: "fetchAccountChain", value: {} });
    const accountId = new Uint8Array(16).fill(1);
    await socket.answer("lookUpHandle", { case: "lookUpHandle", value: { accountId } });
    expect((await first).accountId).toEqual(accountId);
    expect((await second).entries).toEqual([]);
  });

  test("reject with the server's error and the time that it names", async () => {
    const socket = await bench.online();
    const asked = connection.request("lookUpHandle", { handle: "bob" });
    const caught = asked.catch((cause: unknown) => cause);
    await socket.answer("lookUpHandle", error(ErrorCode.RATE_LIMITED, 1234));
    expect(await caught).toMatchObject({ code: ErrorCode.RATE_LIMITED, retryAfterMs: 1234 });
  });

  test("reject when the connection is lost, and when an answer is 30 s late", async () => {
    const socket = await bench.online();
    const lost = connection.request("lookUpHandle", { handle: "bob" }).catch((cause) => cause);
    await socket.end(1006);
    expect(await lost).toBeInstanceOf(ConnectionLostError);
    await clock.pass(500);
    await server.newest.challenge();
    await server.newest.answer("hello", welcome);
    const late = connection.request("lookUpHandle", { handle: "bob" }).catch((cause) => cause);
    await clock.pass(30_000);
    expect(await late).toBeInstanceOf(ConnectionLostError);
  });

  test("an answer outside its limits rejects that request and keeps the connection", async () => {
    const socket = await bench.online();
    const asked = connection.request("lookUpHandle", { handle: "bob" });
    const caught = asked.catch((cause: unknown) => cause);
    await socket.answer("lookUpHandle", {
      case: "lookUpHandle",
      value: { accountId: new Uint8Array(3) },
    });
    expect(await caught).toBeInstanceOf(ProtocolError);
    expect(connection.state.kind).toBe("online");
  });

  test("an answer to another request ends the connection", async () => {
    const socket = await bench.online();
    const caught = connection.request("lookUpHandle", { handle: "bob" }).catch((cause) => cause);
    await socket.answer("lookUpHandle", { case: "clearSkipped", value: {} });
    expect(await caught).toBeInstanceOf(ConnectionLostError);
    expect(socket.closedWith).toBe(CloseCode.MALFORMED_FRAME);
  });

  test("a drain resolves once all mail before its answer is handled", async () => {
    const socket = await bench.online();
    const go = bench.holdUp();
    let drained = false;
    const draining = connection.drain().then(() => {
      drained = true;
    });
    await settle();
    await deliver(socket, 1n, 1);
    await socket.answer("drain", { case: "drained", value: {} });
    expect(drained).toBe(false);
    await go();
    await draining;
    expect(log.at(-1)).toBe("mail 1");
  });

  test("a drain whose answer was overtaken by the end of the connection rejects", async () => {
    const socket = await bench.online();
    const go = bench.holdUp();
    const draining = connection.drain().catch((cause: unknown) => cause);
    await settle();
    await deliver(socket, 1n, 1);
    await socket.answer("drain", { case: "drained", value: {} });
    await socket.end(1006);
    await go();
    expect(await draining).toBeInstanceOf(ConnectionLostError);
  });
});
