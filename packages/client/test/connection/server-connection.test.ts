import { create } from "@bufbuild/protobuf";
import {
  CloseCode,
  type Envelope,
  EnvelopeSchema,
  ErrorCode,
  encodeDelivery,
  encodeRow,
  ProtocolError,
} from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import type { ConnectionState } from "../../src/api.ts";
import type { ConnectionHandler, DeliveredBatch } from "../../src/connection/connection-handler.ts";
import { ConnectionLostError } from "../../src/connection/connection-lost-error.ts";
import type { Login } from "../../src/connection/login.ts";
import { ServerConnection } from "../../src/connection/server-connection.ts";
import { ManualClock, settle } from "../fixtures/manual-clock.ts";
import { ScriptedServer, type ScriptedSocket } from "../fixtures/scripted-server.ts";

const head = { era: 1, version: 1, hash: new Uint8Array(16) };
const held = {};
const welcome = {
  case: "welcome" as const,
  value: {
    version: 1,
    epochs: [{ id: new Uint8Array(16) }],
    limits: {},
    ownHead: head,
    prekeys: held,
  },
};
const error = (code: ErrorCode, retryAfterMs?: number) => ({
  case: "error" as const,
  value: { code, ...(retryAfterMs !== undefined && { retryAfterMs }) },
});

let server: ScriptedServer;
let clock: ManualClock;
let connection: ServerConnection;
let log: string[];
let batches: DeliveredBatch[];
let states: ConnectionState[];
let handler: ConnectionHandler;
let login: Login;
let fatal: unknown[];
let lot: number;

beforeEach(() => {
  server = new ScriptedServer();
  clock = new ManualClock();
  log = [];
  batches = [];
  states = [];
  fatal = [];
  lot = 0;
  handler = {
    welcome: async () => void log.push("welcome"),
    delivered: async (batch) => {
      batches.push(batch);
      log.push(`mail ${batch.envelopes.length}`);
    },
    drained: async () => void log.push("drained"),
    live: () => log.push("live"),
    accountChainMoved: () => log.push("chain moved"),
    mailboxHasRoom: () => log.push("room"),
  };
  const signedLogin = {
    origin: "http://here",
    accountId: new Uint8Array(16),
    deviceId: 1,
    signature: new Uint8Array(64),
  };
  login = {
    hello: async () => ({ login: signedLogin, ownHead: head, prekeys: held, stateNumber: 5n }),
    signUpAgain: async () => {
      log.push("sign-up again");
      const entry = { body: new Uint8Array(1), signature: new Uint8Array(64) };
      return { login: signedLogin, entries: [entry], handle: "alice" };
    },
    signedUpAgain: async () => void log.push("signed up again"),
    welcomed: async () => {
      log.push("welcomed");
      return false;
    },
  };
  connection = new ServerConnection({
    ...{ serverUrl: "http://here", openSocket: server.openSocket, clock, handler, login },
    // Fractions of the ceiling: 0 is the shortest wait, 255 the longest.
    random: (count) => new Uint8Array(count).fill(lot),
    stateNumber: () => 9n,
    fatal: (cause) => fatal.push(cause),
  });
  connection.onState((state) => states.push(state));
});

async function connected(): Promise<ScriptedSocket> {
  connection.start();
  await server.newest.challenge();
  await server.newest.answer("hello", welcome);
  return server.newest;
}

async function online(): Promise<ScriptedSocket> {
  const socket = await connected();
  await socket.say({ case: "drained", value: {} });
  return socket;
}

const envelope = (size = 1) => {
  const id = new Uint8Array(16);
  return create(EnvelopeSchema, { id, deliveryClass: 1, ciphertext: new Uint8Array(size) });
};
const row = (one: Envelope) =>
  encodeRow(one, { sourceAccount: new Uint8Array(16), sourceDevice: 1, acceptedAtMs: 1n });
const deliver = (socket: ScriptedSocket, first: bigint, count: number, size = 1) =>
  socket.sayBytes(
    encodeDelivery(
      first,
      Array.from({ length: count }, () => row(envelope(size))),
    ),
  );

/** A handler that waits until it is let go. */
function holdUp(): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { delivered } = handler;
  handler.delivered = async (batch) => {
    await delivered(batch);
    await promise;
  };
  return async () => {
    resolve();
    await settle();
  };
}

const kinds = () => states.map(({ kind }) => kind);

describe("connecting", () => {
  test("answers the challenge with hello, and is online once drained", async () => {
    const socket = await connected();
    expect(socket.received.map(({ request }) => request.case)).toEqual(["hello"]);
    const { request } = socket.asked("hello")[0] ?? {};
    expect(request?.value).toMatchObject({ version: 1, window: { envelopes: 512 } });
    expect(kinds()).toEqual(["connecting", "catching-up"]);
    await socket.say({ case: "drained", value: {} });
    expect(kinds()).toEqual(["connecting", "catching-up", "online"]);
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
    const socket = await connected();
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
    const socket = await connected();
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

describe("mail", () => {
  test("is handed up one batch after the other, and what waits side by side is one", async () => {
    const go = holdUp();
    const socket = await connected();
    await deliver(socket, 1n, 1);
    await deliver(socket, 2n, 2);
    await deliver(socket, 4n, 3);
    expect(log.slice(2)).toEqual(["mail 1"]);
    await go();
    expect(log.slice(2)).toEqual(["mail 1", "mail 5"]);
  });

  test("is cut into batches of 256 envelopes and about a MiB", async () => {
    const go = holdUp();
    const socket = await connected();
    await deliver(socket, 1n, 300);
    for (let i = 0; i < 12; i++) await deliver(socket, BigInt(301 + i), 1, 98_304);
    await go();
    expect(log.slice(2)).toEqual(["mail 256", "mail 54", "mail 2"]);
  });

  test("is acknowledged up to the last of the batch, with the durable state number", async () => {
    const socket = await connected();
    await deliver(socket, 1n, 3);
    batches[0]?.ack();
    expect(socket.asked("ack").map(({ request }) => request.value)).toMatchObject([
      { upToOrdinal: 3n, stateNumber: 9n },
    ]);
    expect(socket.asked("ack")[0]?.requestId).toBe(0);
  });

  test("of an ended connection is neither acknowledged on the next nor handed up", async () => {
    const go = holdUp();
    const first = await connected();
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
    const go = holdUp();
    const first = await connected();
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
    const socket = await connected();
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
    const go = holdUp();
    const socket = await connected();
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
    const socket = await connected();
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
    const socket = await connected();
    await deliver(socket, 1n, 1);
    await clock.pass(1_500);
    expect(fatal).toEqual([]);
    expect(server.sockets).toHaveLength(2);
  });
});

describe("what is told on the side", () => {
  test("reaches the handler at once", async () => {
    const socket = await connected();
    const live = { ...envelope(), deliveryClass: 2 as const };
    await socket.say({ case: "live", value: { envelope: live } });
    await socket.say({ case: "accountChainMoved", value: { ownHead: head } });
    await socket.say({ case: "mailboxHasRoom", value: {} });
    expect(log.slice(2)).toEqual(["live", "chain moved", "room"]);
  });
});

describe("requests", () => {
  test("are paired with their answers by id, whatever the order", async () => {
    const socket = await online();
    const first = connection.request("lookUpHandle", { handle: "bob" });
    const second = connection.request("fetchAccountChain", { accountId: new Uint8Array(16) });
    await socket.answer("fetchAccountChain", { case: "fetchAccountChain", value: {} });
    const accountId = new Uint8Array(16).fill(1);
    await socket.answer("lookUpHandle", { case: "lookUpHandle", value: { accountId } });
    expect((await first).accountId).toEqual(accountId);
    expect((await second).entries).toEqual([]);
  });

  test("reject with the server's error and the time that it names", async () => {
    const socket = await online();
    const asked = connection.request("lookUpHandle", { handle: "bob" });
    const caught = asked.catch((cause: unknown) => cause);
    await socket.answer("lookUpHandle", error(ErrorCode.RATE_LIMITED, 1234));
    expect(await caught).toMatchObject({ code: ErrorCode.RATE_LIMITED, retryAfterMs: 1234 });
  });

  test("reject when the connection is lost, and when an answer is 30 s late", async () => {
    const socket = await online();
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
    const socket = await online();
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
    const socket = await online();
    const caught = connection.request("lookUpHandle", { handle: "bob" }).catch((cause) => cause);
    await socket.answer("lookUpHandle", { case: "clearSkipped", value: {} });
    expect(await caught).toBeInstanceOf(ConnectionLostError);
    expect(socket.closedWith).toBe(CloseCode.MALFORMED_FRAME);
  });

  test("a drain resolves once all mail before its answer is handled", async () => {
    const socket = await online();
    const go = holdUp();
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
    const socket = await online();
    const go = holdUp();
    const draining = connection.drain().catch((cause: unknown) => cause);
    await settle();
    await deliver(socket, 1n, 1);
    await socket.answer("drain", { case: "drained", value: {} });
    await socket.end(1006);
    await go();
    expect(await draining).toBeInstanceOf(ConnectionLostError);
  });
});

describe("frames that are none", () => {
  test("end the connection, which is made again", async () => {
    const socket = await online();
    await socket.sayBytes(Uint8Array.of(0xff, 0xff, 0xff));
    expect(socket.closedWith).toBe(CloseCode.MALFORMED_FRAME);
    await clock.pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  test("of a newer kind are passed over", async () => {
    const socket = await online();
    await socket.say({ case: "presenceChanged", value: { accountId: new Uint8Array(16) } });
    expect(connection.state.kind).toBe("online");
  });
});

describe("silence", () => {
  test("is asked about, and ends the connection within 30 s", async () => {
    const socket = await online();
    await clock.pass(19_000);
    expect(socket.asked("drain")).toEqual([]);
    await clock.pass(1_000);
    expect(socket.asked("drain")).toHaveLength(1);
    await clock.pass(9_999);
    expect(socket.closedWith).toBe(CloseCode.IDLE);
  });

  test("that an answer breaks is none", async () => {
    const socket = await online();
    for (let minute = 0; minute < 5; minute++) {
      await clock.pass(20_000);
      await socket.answer("drain", { case: "drained", value: {} });
    }
    expect(connection.state.kind).toBe("online");
    expect(log.filter((line) => line === "drained")).toHaveLength(1);
  });

  test("while mail is handled here is the server's right", async () => {
    const socket = await online();
    const go = holdUp();
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
    lot = 255;
    const longest = await waits(6);
    expect(longest.at(-1)).toBe(30_000);
    expect(longest.every((wait, i) => i === 0 || wait >= (longest[i - 1] ?? 0))).toBe(true);
  });

  test("begins with short waits again once it was drained, and not before", async () => {
    lot = 255;
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
    const socket = await online();
    await socket.end(CloseCode.RESUME);
    await clock.pass(0);
    expect(server.sockets).toHaveLength(2);
    await server.newest.end(CloseCode.RESUME);
    await clock.pass(0);
    expect(server.sockets).toHaveLength(2);
  });

  test("adds the time that a stopping server asks for", async () => {
    const socket = await online();
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
    const socket = await online();
    await socket.end(code);
    expect(connection.state).toEqual({ kind: "ended", reason });
    await clock.pass(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  test("is at once where it is asked for while it waits", async () => {
    const socket = await online();
    await socket.end(1006);
    connection.start();
    expect(server.sockets).toHaveLength(2);
    await clock.pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  test("ends with close, which leaves no timer behind", async () => {
    const socket = await online();
    await connection.close();
    expect(socket.closedWith).toBe(CloseCode.NORMAL);
    expect(connection.state).toEqual({ kind: "offline", retryAtMs: undefined });
    expect(clock.waiting).toBe(0);
  });
});
