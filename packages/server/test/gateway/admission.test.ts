import { once } from "node:events";
import { connect as connectSocket, type Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { CloseCode } from "@parley/protocol";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { ServerSettings } from "../../src/settings.ts";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { listen } from "../fixtures/listen.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo } from "../fixtures/server-process.ts";

interface From {
  readonly address?: string;
  readonly forwarded?: string;
}

/** A WebSocket from that address: its status, and 0 where it was cut. */
async function statusOf(port: number, { address = "127.0.0.1", forwarded }: From): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, {
    localAddress: address,
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  const status = await Promise.race([
    once(socket, "open").then(() => 101),
    once(socket, "unexpected-response").then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
    new Promise<number>((resolve) => socket.once("close", () => resolve(0))),
  ]);
  return status;
}

const connectionsOf = (server: Server) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((cause, count) => (cause === null ? resolve(count) : reject(cause)));
  });

const listenWith = (config: Partial<ServerSettings>) => listen({ config });

test("counts the connections of each address, and says 429 to the one that is too many", async () => {
  const { port } = await listenWith({ connectionsPerAddressMax: 2 });
  const from = (address: string) => statusOf(port, { address });
  expect([await from("127.0.0.2"), await from("127.0.0.2")]).toEqual([101, 101]);
  expect(await from("127.0.0.2")).toBe(429);
  expect(await from("127.0.0.3")).toBe(101);
});

test("keeps no socket that it has refused", async () => {
  const { http, port } = await listenWith({ connectionsPerAddressMax: 1 });
  expect(await statusOf(port, { address: "127.0.0.2" })).toBe(101);
  const raw = connectSocket({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
  raw.write(
    "GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  const [answer] = (await once(raw, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 429 .*\r\nRetry-After: 10\r\n/s);
  // It does not end its side, and the server does not wait for that.
  while ((await connectionsOf(http.server)) > 1) await turn();
  raw.destroy();
});

test("cuts off what is far too many, before it asks", async () => {
  const { http, port } = await listenWith({ connectionsMax: 1 });
  const sockets = Array.from({ length: 300 }, () => connectSocket(port, "127.0.0.1"));
  const cut = sockets.map((socket) => {
    socket.on("error", () => undefined);
    return new Promise((resolve) => socket.once("close", resolve));
  });
  await Promise.race(cut);
  expect(await connectionsOf(http.server)).toBeLessThanOrEqual(257);
  for (const socket of sockets) socket.destroy();
});

test("counts whoever left no more", async () => {
  const { port } = await listenWith({ connectionsPerAddressMax: 1 });
  for (let i = 0; i < 5; i++) {
    const socket = connectSocket({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    await once(socket, "connect");
    socket.destroy();
  }
  while ((await statusOf(port, { address: "127.0.0.2" })) !== 101) await turn();
});

test("counts what a trusted proxy brings by what the proxy says, and nobody else's word", async () => {
  const { port } = await listenWith({ connectionsPerAddressMax: 1 });
  const by = (forwarded: string) => statusOf(port, { forwarded });
  expect([await by("192.0.2.1"), await by("192.0.2.2"), await by("192.0.2.1")]).toEqual([
    101, 101, 429,
  ]);
  const own = (forwarded: string) => statusOf(port, { address: "127.0.0.9", forwarded });
  expect([await own("192.0.2.3"), await own("192.0.2.4")]).toEqual([101, 429]);
});

test("cuts an address off that comes too fast, and no other", async () => {
  const limits = { ...SETTINGS_DEFAULT.limits, connectionsPerAddressPerMinute: 3 };
  const { port } = await listenWith({ limits });
  const from = (address: string) => statusOf(port, { address });
  const came = [];
  for (let i = 0; i < 4; i++) came.push(await from("127.0.0.2"));
  expect(came).toEqual([101, 101, 101, 0]);
  expect(await from("127.0.0.3")).toBe(101);
});

test("lets everybody in, and counts, in a dry run", async () => {
  const limits = { ...SETTINGS_DEFAULT.limits, dryRun: true, connectionsPerAddressPerMinute: 1 };
  const { port } = await listenWith({ connectionsPerAddressMax: 1, limits });
  const from = () => statusOf(port, { address: "127.0.0.2" });
  expect([await from(), await from(), await from()]).toEqual([101, 101, 101]);
});

test("lets the oldest visitor give way, and nobody who has logged in", async () => {
  const { origin } = await listenWith({ visitorsMax: 2 });
  const member = await connectTo(origin);
  const alice = new Person("alice");
  await member.signUp(alice);
  await member.hello(alice);
  const visitors = [await connectTo(origin), await connectTo(origin)];
  const newest = await connectTo(origin);
  expect((await visitors[0]?.closed)?.code).toBe(CloseCode.OVERLOADED);
  const bob = new Person("bob");
  await visitors[1]?.signUp(bob);
  await newest.signUp(new Person("carol"));
  await member.drain();
  for (const each of [member, newest, ...visitors]) each.wire?.close();
});

test("ends a socket that sends no request, or one with headers that are too long", async () => {
  const { port } = await listenWith({});
  const long = connectSocket(port, "127.0.0.1");
  long.on("error", () => undefined);
  long.write(`GET / HTTP/1.1\r\nHost: x\r\nCookie: ${"x".repeat(9_000)}\r\n\r\n`);
  const [answer] = (await once(long, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 431 /);
});
