import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { CloseCode, LOGIN_FRAME_BYTES_MAX } from "@parley/protocol";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { listen } from "../fixtures/listen.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo } from "../fixtures/server-process.ts";
import { textOf } from "../fixtures/wire-client.ts";

test("carries frames over a WebSocket", async () => {
  const { origin } = await listen();
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, b] = [await connectTo(origin), await connectTo(origin)];
  await a.signUp(alice);
  await b.signUp(bob);
  await a.hello(alice);
  await b.hello(bob);
  await a.send(alice, bob, { text: "over a real wire" });
  expect((await b.deliveries(1)).map(textOf)).toEqual(["over a real wire"]);
  a.wire?.close();
  b.wire?.close();
});

test("answers and ends an upgrade elsewhere", async () => {
  const { origin } = await listen();
  const socket = new WebSocket(`${origin.replace("http", "ws")}/elsewhere`);
  const [, response] = (await once(socket, "unexpected-response")) as [
    unknown,
    { statusCode: number },
  ];
  expect(response.statusCode).toBe(404);
});

test("ends on text, and on a message that is too long before login, and has no compression", async () => {
  const { origin } = await listen();
  for (const [message, code] of [
    ["text", CloseCode.MALFORMED_FRAME],
    [new Uint8Array(LOGIN_FRAME_BYTES_MAX + 1), 1009],
  ] as const) {
    const socket = new WebSocket(`${origin.replace("http", "ws")}/v1/socket`);
    await once(socket, "open");
    expect(socket.extensions).toBe("");
    socket.send(message);
    expect((await once(socket, "close"))[0]).toBe(code);
  }
});

test("survives a connection that breaks the protocol of WebSocket itself", async () => {
  const { origin, port } = await listen();
  const raw = connectSocket(port, "127.0.0.1");
  raw.on("error", () => undefined);
  raw.write(
    "GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await once(raw, "data");
  raw.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff));
  await once(raw, "close");
  const client = await connectTo(origin);
  client.wire?.close();
});

test("drops a client that asks and does not read, while others are served", async () => {
  const { origin, server } = await listen({ config: { readerStallMs: 1_000 } });
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [greedy, other] = [await connectTo(origin), await connectTo(origin)];
  await greedy.signUp(alice);
  await greedy.hello(alice);
  await other.signUp(bob);
  await other.hello(bob);
  const sealedProfile = new Uint8Array(65_536);
  await greedy.request("setProfile", { case: "setProfile", value: { sealedProfile } });
  greedy.pause();
  // 26 MB of answers: more than the kernel's buffers, and what is answered before something is read.
  for (let requestId = 1000; requestId < 1400; requestId++) {
    const value = { accountId: alice.accountId };
    greedy.sendFrame({ requestId, request: { case: "fetchProfile", value } });
    if (requestId % 50 === 0) await other.drain();
  }
  while (server.connectionCount() > 1) await turn();
  greedy.resume();
  expect((await greedy.closed).code).toBe(1006);
  const answered = greedy.frames.filter(({ response }) => response.case === "fetchProfile");
  expect(answered.length).toBeLessThan(400);
  other.wire?.close();
});

test("writes once for all that one turn brings to a socket", async () => {
  const { http, origin } = await listen();
  let writes = 0;
  http.server.on("connection", (socket) => {
    const write = socket._write.bind(socket);
    socket._write = (chunk, encoding, done) => {
      writes++;
      write(chunk, encoding, done);
    };
  });
  const client = await connectTo(origin);
  const before = writes;
  for (let requestId = 1; requestId <= 10; requestId++)
    client.sendFrame({ requestId, request: { case: "putLinkStep", value: linkStep(requestId) } });
  await client.frame("putLinkStep", (_, { requestId }) => requestId === 10);
  // Ten requests come in one packet, or nearly: the answers go out in fewer writes than there are.
  expect(writes - before).toBeLessThan(6);
  client.wire?.close();
});

const linkStep = (step: number) => ({
  address: new Uint8Array(16).fill(step),
  step: 1,
  payload: Uint8Array.of(step),
});

test("says over HTTP that it lives and what it is, and nothing else", async () => {
  const { http } = await listen();
  const livez = await http.inject("/livez");
  expect([livez.statusCode, livez.body]).toEqual([200, "ok\n"]);
  const page = await http.inject("/");
  expect(page.body).toMatch(/Parley server/);
  expect(page.headers["content-security-policy"]).toMatch(/default-src 'none'/);
  expect((await http.inject("/metrics")).statusCode).toBe(404);
});
