import { setImmediate as turn } from "node:timers/promises";
import { CloseCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { BINARY, CLOSE, closing, frame, PING } from "../fixtures/client-frames.ts";
import { type Served, serveSocket, testLoop } from "../fixtures/socket-pair.ts";

test("answers a ping with what it held, and of many that came at once only the newest", async () => {
  const { loop } = testLoop();
  const { client, receives } = await serveSocket(loop);
  client.write(frame({ first: PING, payload: Uint8Array.of(7) }));
  expect(await receives(3)).toEqual(Buffer.of(0x8a, 1, 7));
  const many = Array.from({ length: 20 }, (_, i) =>
    frame({ first: PING, payload: Uint8Array.of(i) }),
  );
  client.write(Buffer.concat(many));
  client.write(frame({ first: CLOSE, payload: closing(1000) }));
  expect((await receives(10)).subarray(3)).toEqual(Buffer.of(0x8a, 1, 19, 0x88, 2, 0x03, 0xe8));
});

test("closes with the code that the other side gave, and ends the socket", async () => {
  const { loop } = testLoop();
  const { client, received, ended, closed } = await serveSocket(loop);
  client.write(frame({ first: CLOSE, payload: closing(4200) }));
  await closed;
  expect(received()).toEqual(Buffer.of(0x88, 2, 4200 >> 8, 4200 & 0xff));
  expect(await ended).toBe(0);
  await loop.empty();
});

test("says why it breaks off, and hears nothing any more", async () => {
  const { loop } = testLoop();
  const { client, received, messages, ended, closed } = await serveSocket(loop);
  const good = frame({ first: BINARY, payload: Uint8Array.of(1) });
  const bad = frame({ first: BINARY | 0x40 });
  client.write(Buffer.concat([good, bad, good]));
  await closed;
  expect(received().readUInt16BE(2)).toBe(1002);
  expect(await ended).toBe(1002);
  expect(messages).toEqual([Uint8Array.of(1)]);
});

test("ends where the other side ends without a close", async () => {
  const { loop } = testLoop();
  const { client, ended } = await serveSocket(loop);
  client.end();
  expect(await ended).toBe(0);
  await loop.empty();
});

test("hears nothing behind its own close but the answer to it", async () => {
  const { loop } = testLoop();
  const { transport, client, messages, receives, closed } = await serveSocket(loop);
  transport.close(CloseCode.REPLACED, "newer");
  transport.send(Uint8Array.of(1));
  expect((await receives(9)).length).toBe(9);
  client.write(frame({ first: BINARY, payload: Uint8Array.of(1) }));
  client.write(frame({ first: CLOSE, payload: closing(CloseCode.REPLACED) }));
  await closed;
  expect(messages).toEqual([]);
});

/** As a request costs. */
function work(): void {
  const until = performance.now() + 0.05;
  while (performance.now() < until);
}

test("gives other connections their turn while one floods", async () => {
  const { loop } = testLoop();
  const order: string[] = [];
  const does = (name: string) => () => {
    order.push(name);
    work();
  };
  const flood = await serveSocket(loop, does("flood"));
  const other = await serveSocket(loop, does("other"));
  const small = frame({ first: BINARY, payload: Uint8Array.of(1) });
  flood.client.write(Buffer.concat(Array.from({ length: 2_000 }, () => small)));
  while (order.length === 0) await turn();
  other.client.write(small);
  while (!order.includes("other") || order.length < 2_001) await turn();
  expect(order.indexOf("other")).toBeLessThan(1_000);
  expect(flood.messages).toHaveLength(2_000);
});

test("serves whoever asks for little before a crowd that has not logged in", async () => {
  const { loop } = testLoop();
  const order: string[] = [];
  const does = (name: string) => () => {
    order.push(name);
    work();
  };
  const crowd: Served[] = [];
  for (let i = 0; i < 50; i++)
    crowd.push(await serveSocket(loop, does("visitor"), { isLoggedIn: false }));
  const member = await serveSocket(loop, does("member"));
  const small = frame({ first: BINARY, payload: Uint8Array.of(1) });
  const many = Buffer.concat(Array.from({ length: 40 }, () => small));
  for (const { client } of crowd) client.write(many);
  while (order.length === 0) await turn();
  member.client.write(small);
  while (order.length < 2_001) await turn();
  expect(order.indexOf("member")).toBeLessThan(1_000);
});

test("reads no more of a client that does not take its answers", async () => {
  const { loop } = testLoop();
  const asked = await serveSocket(loop, () => asked.transport.send(new Uint8Array(100_000)));
  asked.client.pause();
  const small = frame({ first: BINARY, payload: Uint8Array.of(1) });
  asked.client.write(Buffer.concat(Array.from({ length: 500 }, () => small)));
  let before = -1;
  for (let still = 0; still < 20; ) {
    still = asked.messages.length === before ? still + 1 : 0;
    before = asked.messages.length;
    await turn();
  }
  // What the kernel takes, and a little more.
  expect(asked.messages.length).toBeLessThan(200);
  expect(asked.transport.bufferedBytes()).toBeLessThan(500_000);
  asked.client.resume();
  while (asked.messages.length < 500) await turn();
  await asked.receives(500 * 100_000);
});

/** Until nothing more comes of what lies there already. */
async function settled(count: () => number): Promise<number> {
  let before = -1;
  for (let still = 0; still < 20; ) {
    still = count() === before ? still + 1 : 0;
    before = count();
    await turn();
  }
  return before;
}

test("reads nothing more, until the next beat, of who goes on after many refusals", async () => {
  const { loop, beats } = testLoop();
  const flood = await serveSocket(loop, () => flood.transport.refused());
  const other = await serveSocket(loop);
  const small = frame({ first: BINARY, payload: Uint8Array.of(1) });
  flood.client.write(Buffer.concat(Array.from({ length: 200 }, () => small)));
  const first = await settled(() => flood.messages.length);
  expect(first).toBeGreaterThan(30);
  expect(first).toBeLessThan(50);
  other.client.write(small);
  while (other.messages.length === 0) await turn();
  expect(flood.messages.length).toBe(first);
  await beats(1);
  const second = await settled(() => flood.messages.length);
  expect(second - first).toBeGreaterThan(30);
  expect(second - first).toBeLessThan(50);
  while (flood.messages.length < 200) await beats(1);
});

test("reads nothing more, until the next beat, of who does nothing but ping", async () => {
  const { loop, beats } = testLoop();
  const { client, messages } = await serveSocket(loop);
  const ping = frame({ first: PING });
  client.write(Buffer.concat(Array.from({ length: 160 }, () => ping)));
  client.write(frame({ first: BINARY, payload: Uint8Array.of(1) }));
  expect(await settled(() => messages.length)).toBe(0);
  await beats(1);
  while (messages.length === 0) await turn();
});

test("reads nothing more while enough is under way", async () => {
  const { loop } = testLoop();
  let isBusy = false;
  const busy = await serveSocket(
    loop,
    () => {
      isBusy = true;
    },
    { isBusy: () => isBusy },
  );
  const small = frame({ first: BINARY, payload: Uint8Array.of(1) });
  busy.client.write(Buffer.concat([small, small, small]));
  expect(await settled(() => busy.messages.length)).toBe(1);
  isBusy = false;
  busy.transport.ready();
  expect(await settled(() => busy.messages.length)).toBe(2);
});

test("writes long and short messages in order, while the other side reads slowly", async () => {
  const { loop } = testLoop({ bufferedBytesTotalMax: 16 * 1024 * 1024 });
  const { transport, client, receives } = await serveSocket(loop);
  client.pause();
  const sizes = [10, 900_000, 5, 20_000, 900_000, 100_000, 1, 3_000_000, 7];
  const messages = sizes.map((size, i) => new Uint8Array(size).fill(i));
  for (const message of messages) transport.send(message);
  await turn();
  // A ping must not stand in the middle of a message.
  transport.probe();
  expect(transport.bufferedBytes()).toBeGreaterThan(100_000);
  client.resume();
  const total = sizes.reduce(
    (sum, size) => sum + size + (size < 126 ? 2 : size < 65_536 ? 4 : 10),
    0,
  );
  const all = await receives(total);
  let at = 0;
  for (const message of messages) {
    const short = (all[at + 1] as number) & 0x7f;
    const length =
      short < 126 ? short : short === 126 ? all.readUInt16BE(at + 2) : all.readUInt32BE(at + 6);
    at += short < 126 ? 2 : short === 126 ? 4 : 10;
    expect(length).toBe(message.length);
    expect(all.subarray(at, at + length).equals(message)).toBe(true);
    at += length;
  }
  expect(at).toBe(all.length);
  expect(transport.bufferedBytes()).toBe(0);
});
