import { setImmediate as turn } from "node:timers/promises";
import { CloseCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { BINARY, FIRST, frame, PONG } from "../fixtures/client-frames.ts";
import { serveSocket, testLoop } from "../fixtures/socket-pair.ts";

const BEATS_BETWEEN_PINGS = 30;
const PING_BYTES = 2;
const MiB = 1024 * 1024;

test("pings every half minute, and keeps whoever answers", async () => {
  const { loop, beats } = testLoop();
  const { client, receives, closed } = await serveSocket(loop);
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  for (let round = 1; round <= 4; round++) {
    await beats(BEATS_BETWEEN_PINGS);
    expect((await receives(round * PING_BYTES)).subarray(-PING_BYTES)).toEqual(Buffer.of(0x89, 0));
    client.write(frame({ first: PONG }));
    await turn();
  }
  expect(isClosed).toBe(false);
});

test("cuts whoever is silent from one ping to the next", async () => {
  const { loop, beats } = testLoop();
  const { receives, closed, ended } = await serveSocket(loop);
  await beats(BEATS_BETWEEN_PINGS);
  await receives(PING_BYTES);
  await beats(BEATS_BETWEEN_PINGS);
  await closed;
  expect(await ended).toBe(CloseCode.IDLE);
});

test("does not cut whoever was asked for a sign of life a moment ago", async () => {
  const { loop, beats } = testLoop();
  const { transport, client, receives, messages } = await serveSocket(loop);
  // Wherever in the half minute it is asked, the next ping is near.
  for (let i = 0; i < BEATS_BETWEEN_PINGS; i++) {
    transport.probe();
    await beats(1);
    client.write(frame({ first: PONG }));
    await receives((i + 1) * PING_BYTES);
    await turn();
  }
  client.write(frame({ first: BINARY, payload: Uint8Array.of(1) }));
  while (messages.length === 0) await turn();
});

test("cuts whoever does not answer a close", async () => {
  const { loop, beats } = testLoop();
  const { transport, receives, closed } = await serveSocket(loop);
  transport.close(CloseCode.REPLACED, "");
  await receives(4);
  await beats(3);
  await closed;
  await loop.empty();
});

/** Sends until the kernel takes no more, and 1 MiB waits. */
async function fill({ transport, client }: Awaited<ReturnType<typeof serveSocket>>) {
  client.pause();
  while (transport.bufferedBytes() < MiB) {
    transport.send(new Uint8Array(100_000));
    await turn();
  }
}

test("drops a reader that takes nothing, and keeps one that takes little", async () => {
  const { loop, beats, refused } = testLoop({ readerStallMs: 5_000 });
  const [stalled, slow] = [await serveSocket(loop), await serveSocket(loop)];
  await fill(stalled);
  await fill(slow);
  for (let i = 0; i < 8; i++) {
    const before = slow.transport.bufferedBytes();
    slow.client.resume();
    while (slow.transport.bufferedBytes() === before) await turn();
    await fill(slow);
    await beats(1);
  }
  expect(await stalled.ended).toBe(CloseCode.SLOW_READER);
  expect(refused).toEqual(["readerStallMs"]);
  slow.client.resume();
  while (slow.transport.bufferedBytes() > 0) await turn();
  await beats(10);
  expect(refused).toEqual(["readerStallMs"]);
});

test("drops the one for whom most waits, where too much waits for all", async () => {
  const { loop, refused } = testLoop({ bufferedBytesTotalMax: 4 * MiB });
  const [small, large] = [await serveSocket(loop), await serveSocket(loop)];
  await fill(small);
  await fill(large);
  large.transport.send(new Uint8Array(4 * MiB));
  expect(await large.ended).toBe(CloseCode.SLOW_READER);
  expect(refused).toEqual(["bufferedBytesTotalMax"]);
  small.client.resume();
  while (small.transport.bufferedBytes() > 0) await turn();
});

test("drops the longest of the messages that are not whole, where they are too long together", async () => {
  const { loop, refused } = testLoop({ receivedBytesTotalMax: 300_000 });
  const [short, long] = [await serveSocket(loop), await serveSocket(loop)];
  short.client.write(frame({ first: FIRST, payload: new Uint8Array(90_000) }));
  long.client.write(frame({ first: FIRST, payload: new Uint8Array(400_000) }));
  expect(await long.ended).toBe(CloseCode.OVERLOADED);
  expect(refused).toEqual(["receivedBytesTotalMax"]);
  short.client.write(frame({ first: 0x80, payload: new Uint8Array(9) }));
  while (short.messages.length === 0) await turn();
  expect(short.messages[0]).toHaveLength(90_009);
});

test("gives a message so long to come whole, also one that is sent byte by byte", async () => {
  const { loop, beats, refused } = testLoop({ messageMs: 5_000 });
  const { client, ended } = await serveSocket(loop);
  const bytes = frame({ first: BINARY, payload: new Uint8Array(100) });
  for (let i = 0; i < 5; i++) {
    client.write(bytes.subarray(i, i + 1));
    await turn();
    await beats(1);
  }
  expect(refused).toEqual([]);
  await beats(2);
  expect(await ended).toBe(CloseCode.IDLE);
  expect(refused).toEqual(["messageMs"]);
});
