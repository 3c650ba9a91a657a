import { CloseCode, ErrorCode } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionLostError } from "../../src/connection/connection-lost-error.ts";
import {
  ConnectionBench,
  deliver,
  envelope,
  error,
  head,
  welcome,
} from "../fixtures/connection-bench.ts";
import { settle } from "../fixtures/manual-clock.ts";

let bench: ConnectionBench;
let server: ConnectionBench["server"];
let clock: ConnectionBench["clock"];
let connection: ConnectionBench["connection"];
let handler: ConnectionBench["handler"];
let login: ConnectionBench["login"];
let log: ConnectionBench["log"];
let states: ConnectionBench["states"];
beforeEach(() => {
  bench = new ConnectionBench();
  ({ server, clock, connection, handler, login, log, states } = bench);
});

describe("connecting", () => {
  test("answers the challenge with hello, and is online once drained", async () => {
    const socket = await bench.connected();
    expect(socket.received.map(({ request }) => request.case)).toEqual(["hello"]);
    const { request } = socket.asked("hello")[0] ?? {};
    expect(request?.value).toMatchObject({ version: 1, window: { envelopes: 512 } });
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "catching-up"]);
    await socket.say({ case: "drained", value: {} });
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "catching-up", "online"]);
    expect(log).toEqual(["welcomed", "welcome", "drained"]);
  });

  test("makes no request before the welcome has been looked at", async () => {
    connection.start();
    await server.newest.challenge();
    await expect(connection.request("lookUpHandle", { handle: "bob" })).rejects.toThrow(
      ConnectionLostError,
    );
  });

  test("lets the handler of the welcome make requests before mail is handed up", async () => {
    handler.welcome = async () => {
      await connection.request("lookUpHandle", { handle: "bob" });
      log.push("looked up");
    };
    const socket = await bench.connected();
    await deliver(socket, 1n, 1);
    expect(log).toEqual(["welcomed"]);
    const accountId = new Uint8Array(16);
    await socket.answer("lookUpHandle", { case: "lookUpHandle", value: { accountId } });
    expect(log).toEqual(["welcomed", "looked up", "mail 1"]);
  });

  test("ends where no version is in common", async () => {
    connection.start();
    await server.newest.challenge(99);
    expect(connection.state).toEqual({ kind: "ended", reason: "version-not-supported" });
  });

  test("gives up a server that says nothing", async () => {
    connection.start();
    await clock.pass(19_999);
    expect(connection.state.kind).toBe("connecting");
    await clock.pass(1);
    expect(connection.state.kind).toBe("offline");
    await clock.pass(30_000);
    expect(server.sockets.length).toBeGreaterThan(1);
  });

  test("offers the account again, once, to a server that lost it", async () => {
    connection.start();
    const socket = server.newest;
    await socket.challenge();
    await socket.answer("hello", error(ErrorCode.NOT_FOUND));
    await socket.answer("signUp", { case: "signUp", value: { receipt: new Uint8Array(32) } });
    expect(log).toEqual(["sign-up again", "signed up again"]);
    await socket.answer("hello", welcome);
    expect(connection.state.kind).toBe("catching-up");
  });

  test("does not offer it again and again", async () => {
    connection.start();
    const socket = server.newest;
    await socket.challenge();
    await socket.answer("hello", error(ErrorCode.NOT_FOUND));
    await socket.answer("signUp", { case: "signUp", value: { receipt: new Uint8Array(32) } });
    await socket.answer("hello", error(ErrorCode.NOT_FOUND));
    expect(connection.state).toEqual({ kind: "ended", reason: "login-refused" });
    expect(socket.asked("signUp")).toHaveLength(1);
  });

  test("that ends while the welcome is looked at is not taken for logged in", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    login.welcomed = () => promise;
    const socket = await bench.connected();
    await socket.end(1006);
    resolve(false);
    await settle();
    expect(connection.state.kind).toBe("offline");
    expect(log).toEqual([]);
  });

  test("ends where the server does not take the account back", async () => {
    connection.start();
    await server.newest.challenge();
    await server.newest.answer("hello", error(ErrorCode.NOT_FOUND));
    await server.newest.answer("signUp", error(ErrorCode.SIGN_UP_REFUSED));
    expect(connection.state).toEqual({ kind: "ended", reason: "login-refused" });
  });

  test("ends where the login is refused", async () => {
    connection.start();
    await server.newest.challenge();
    await server.newest.answer("hello", error(ErrorCode.LOGIN_REFUSED));
    expect(connection.state).toEqual({ kind: "ended", reason: "login-refused" });
    await clock.pass(60_000);
    expect(server.sockets).toHaveLength(1);
  });

  test("comes back after the time that a busy server names", async () => {
    connection.start();
    await server.newest.challenge();
    await server.newest.answer("hello", error(ErrorCode.BUSY, 40_000));
    await clock.pass(40_000);
    expect(server.sockets).toHaveLength(1);
    await clock.pass(1_000);
    expect(server.sockets).toHaveLength(2);
  });
});

describe("what is told on the side", () => {
  test("by a server of a later version is passed over where it is not known", async () => {
    const socket = await bench.connected();
    await socket.sayBytes(Uint8Array.of(0xa2, 0x38, 0x01, 0x00)); // Field 900, one byte.
    await socket.say({ case: "drained", value: {} });
    expect(connection.state.kind).toBe("online");
    expect(socket.closedWith).toBeUndefined();
  });

  test("reaches the handler at once", async () => {
    const socket = await bench.connected();
    const live = { ...envelope(), deliveryClass: 2 as const };
    await socket.say({ case: "live", value: { envelope: live } });
    await socket.say({ case: "accountChainMoved", value: { ownHead: head } });
    await socket.say({ case: "mailboxHasRoom", value: {} });
    expect(log.slice(2)).toEqual(["live", "chain moved", "room"]);
  });
});

describe("frames that are none", () => {
  test("end the connection, which is made again", async () => {
    const socket = await bench.online();
    await socket.sayBytes(Uint8Array.of(0xff, 0xff, 0xff));
    expect(socket.closedWith).toBe(CloseCode.MALFORMED_FRAME);
    await clock.pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  test("of a newer kind are passed over", async () => {
    const socket = await bench.online();
    await socket.say({ case: "presenceChanged", value: { accountId: new Uint8Array(16) } });
    expect(connection.state.kind).toBe("online");
  });
});

describe("silence", () => {
  test("is asked about, and ends the connection within 30 s", async () => {
    const socket = await bench.online();
    await clock.pass(19_000);
    expect(socket.asked("drain")).toEqual([]);
    await clock.pass(1_000);
    expect(socket.asked("drain")).toHaveLength(1);
    await clock.pass(9_999);
    expect(socket.closedWith).toBe(CloseCode.IDLE);
  });

  test("that an answer breaks is none", async () => {
    const socket = await bench.online();
    for (let minute = 0; minute < 5; minute++) {
      await clock.pass(20_000);
      await socket.answer("drain", { case: "drained", value: {} });
    }
    expect(connection.state.kind).toBe("online");
    expect(log.filter((line) => line === "drained")).toHaveLength(1);
  });

  test("while mail is handled here is the server's right", async () => {
    const socket = await bench.online();
    const go = bench.holdUp();
    await deliver(socket, 1n, 1);
    await clock.pass(120_000);
    expect(connection.state.kind).toBe("online");
    await go();
    await clock.pass(30_000);
    expect(socket.closedWith).toBe(CloseCode.IDLE);
  });
});

describe("coming back", () => {
  async function waits(count: number): Promise<number[]> {
    const all: number[] = [];
    for (let i = 0; i < count; i++) {
      await server.newest.end(1006);
      const { state } = connection;
      if (state.kind !== "offline" || state.retryAtMs === undefined) throw new Error("not waiting");
      all.push(state.retryAtMs - clock.now());
      await clock.pass(state.retryAtMs - clock.now());
    }
    return all;
  }

  test("waits at least 250 ms, at most a ceiling that doubles up to 30 s", async () => {
    connection.start();
    expect(new Set(await waits(5))).toEqual(new Set([250]));
    bench.lot = 255;
    const longest = await waits(6);
    expect(longest.at(-1)).toBe(30_000);
    expect(longest.every((wait, i) => i === 0 || wait >= (longest[i - 1] ?? 0))).toBe(true);
  });

  test("begins with short waits again once it was drained, and not before", async () => {
    bench.lot = 255;
    connection.start();
    const before = await waits(3);
    await server.newest.challenge();
    await server.newest.answer("hello", welcome);
    expect((await waits(1))[0]).toBeGreaterThan(before[2] as number);
    await server.newest.challenge();
    await server.newest.answer("hello", welcome);
    await server.newest.say({ case: "drained", value: {} });
    expect(await waits(1)).toEqual([before[0]]);
  });

  test("is at once where the code says so and the login had held", async () => {
    const socket = await bench.online();
    await socket.end(CloseCode.RESUME);
    await clock.pass(0);
    expect(server.sockets).toHaveLength(2);
    await server.newest.end(CloseCode.RESUME);
    await clock.pass(0);
    expect(server.sockets).toHaveLength(2);
  });

  test("adds the time that a stopping server asks for", async () => {
    const socket = await bench.online();
    await socket.say({ case: "moving", value: { reconnectAfterMs: 5000 } });
    await socket.end(CloseCode.SERVICE_RESTART);
    await clock.pass(5_000);
    expect(server.sockets).toHaveLength(1);
    await clock.pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  test.each([
    [CloseCode.REPLACED, "replaced"],
    [CloseCode.LOGIN_REFUSED, "login-refused"],
    [CloseCode.DEVICE_REMOVED, "device-removed"],
    [CloseCode.VERSION_NOT_SUPPORTED, "version-not-supported"],
    [4299, "version-not-supported"],
  ])("does not happen after close code %i", async (code, reason) => {
    const socket = await bench.online();
    await socket.end(code);
    expect(connection.state).toEqual({ kind: "ended", reason });
    await clock.pass(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  test("is at once where it is asked for while it waits", async () => {
    const socket = await bench.online();
    await socket.end(1006);
    connection.start();
    expect(server.sockets).toHaveLength(2);
    await clock.pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  test("ends with close, which leaves no timer behind", async () => {
    const socket = await bench.online();
    await connection.close();
    expect(socket.closedWith).toBe(CloseCode.NORMAL);
    expect(connection.state).toEqual({ kind: "offline", retryAtMs: undefined });
    expect(clock.waiting).toBe(0);
  });
});
