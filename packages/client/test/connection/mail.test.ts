import { CloseCode, ErrorCode, ProtocolError } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionBench, deliver, welcome } from "../fixtures/connection-bench.ts";

let bench: ConnectionBench;
let server: ConnectionBench["server"];
let clock: ConnectionBench["clock"];
let connection: ConnectionBench["connection"];
let handler: ConnectionBench["handler"];
let log: ConnectionBench["log"];
let batches: ConnectionBench["batches"];
let fatal: ConnectionBench["fatal"];
beforeEach(() => {
  bench = new ConnectionBench();
  ({ server, clock, connection, handler, log, batches, fatal } = bench);
});

describe("mail", () => {
  test("is handed up one batch after the other, and what waits side by side is one", async () => {
    const go = bench.holdUp();
    const socket = await bench.connected();
    await deliver(socket, 1n, 1);
    await deliver(socket, 2n, 2);
    await deliver(socket, 4n, 3);
    expect(log.slice(2)).toEqual(["mail 1"]);
    await go();
    expect(log.slice(2)).toEqual(["mail 1", "mail 5"]);
  });

  test("is cut into batches of 256 envelopes and about a MiB", async () => {
    const go = bench.holdUp();
    const socket = await bench.connected();
    await deliver(socket, 1n, 300);
    for (let i = 0; i < 12; i++) await deliver(socket, BigInt(301 + i), 1, 98_304);
    await go();
    expect(log.slice(2)).toEqual(["mail 256", "mail 54", "mail 2"]);
  });

  test("is acknowledged up to the last of the batch, with the durable state number", async () => {
    const socket = await bench.connected();
    await deliver(socket, 1n, 3);
    batches[0]?.ack();
    expect(socket.asked("ack").map(({ request }) => request.value)).toMatchObject([
      { upToOrdinal: 3n, stateNumber: 9n },
    ]);
    expect(socket.asked("ack")[0]?.requestId).toBe(0);
  });

  test("of an ended connection is neither acknowledged on the next nor handed up", async () => {
    const go = bench.holdUp();
    const first = await bench.connected();
    await deliver(first, 1n, 1);
    await deliver(first, 2n, 1);
    await first.end(1006);
    await clock.pass(500);
    await server.newest.challenge();
    await server.newest.answer("hello", welcome);
    batches[0]?.ack();
    await go();
    expect(log).toEqual(["welcomed", "welcome", "mail 1", "welcomed", "welcome"]);
    expect(server.sockets.flatMap((socket) => socket.asked("ack"))).toEqual([]);
  });

  test("of two connections is never one batch", async () => {
    const go = bench.holdUp();
    const first = await bench.connected();
    await deliver(first, 1n, 1);
    await deliver(first, 2n, 3);
    await first.end(1006);
    await clock.pass(500);
    await server.newest.challenge();
    await server.newest.answer("hello", welcome);
    await deliver(server.newest, 1n, 4);
    await go();
    expect(log.slice(2)).toEqual(["mail 1", "welcomed", "welcome", "mail 4"]);
    batches.at(-1)?.ack();
    expect(server.newest.asked("ack")[0]?.request.value).toMatchObject({ upToOrdinal: 4n });
  });

  test("that skips an ordinal ends the connection", async () => {
    const socket = await bench.connected();
    await deliver(socket, 2n, 1);
    expect(socket.closedWith).toBe(CloseCode.MALFORMED_FRAME);
    expect(batches).toEqual([]);
  });

  test("before the welcome ends the connection", async () => {
    connection.start();
    await server.newest.challenge();
    await deliver(server.newest, 1n, 1);
    expect(server.newest.closedWith).toBe(CloseCode.MALFORMED_FRAME);
  });

  test("leaves the state catching-up until everything before drained is handled", async () => {
    const go = bench.holdUp();
    const socket = await bench.connected();
    await deliver(socket, 1n, 1);
    await socket.say({ case: "drained", value: {} });
    expect(connection.state.kind).toBe("catching-up");
    await go();
    expect(connection.state.kind).toBe("online");
  });

  test("whose handling fails for good stops the connection and is told once", async () => {
    handler.delivered = async () => {
      throw new Error("broken");
    };
    const socket = await bench.connected();
    await deliver(socket, 1n, 1);
    expect(fatal).toMatchObject([{ message: "broken" }]);
    expect(connection.state).toEqual({ kind: "offline", retryAtMs: undefined });
    await clock.pass(60_000);
    expect(server.sockets).toHaveLength(1);
  });

  test("whose handling meets a refusal begins the connection again", async () => {
    handler.delivered = async () => {
      throw new ProtocolError(ErrorCode.BUSY, "later");
    };
    const socket = await bench.connected();
    await deliver(socket, 1n, 1);
    await clock.pass(1_500);
    expect(fatal).toEqual([]);
    expect(server.sockets).toHaveLength(2);
  });
});
