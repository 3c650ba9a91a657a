import { CloseCode, decodeServerFrame, ErrorCode, type ServerFrame } from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ACK_EXPECTED_MS, MailboxStream } from "../../src/core/mailbox-stream.ts";
import { SharedTimer } from "../../src/core/shared-timer.ts";
import type {
  DeliveryTiming,
  MailboxRow,
  MailboxStore,
  StoredEnvelope,
} from "../../src/ports/mailbox-store.ts";
import { type Metrics, NO_METRICS } from "../../src/ports/metrics.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";
import { delivery, deviceOf } from "../fixtures/rows.ts";
import { logTo } from "../fixtures/store.ts";

const phone = deviceOf("alice");

/** A stream over rows in memory, and what it says. */
function openStream(window = { envelopes: 100, bytes: 1_000_000 }) {
  const clock = new ManualClock();
  const rows: StoredEnvelope[] = [];
  const removed: string[] = [];
  const pushed: unknown[] = [];
  const frames: ServerFrame["response"][] = [];
  const state = { failsToRead: false, probes: 0, ended: 0, reads: 0, isFull: false };
  let place = 0;
  const reader = {
    next: async (limit: number) => {
      state.reads++;
      if (state.failsToRead) throw new Error("the store is away");
      const page = rows.slice(place, place + limit);
      place += page.length;
      return page;
    },
  };
  const mailboxes = {
    open: () => reader,
    remove: async (_mailbox: unknown, gone: readonly MailboxRow[]) =>
      void removed.push(...(gone as readonly { name: string }[]).map(({ name }) => name)),
  } as unknown as MailboxStore;
  const push = { push: async (device: unknown) => void pushed.push(device) };
  const outlet = {
    send: (frame: Uint8Array) => frames.push(decodeServerFrame(frame).response),
    isFull: () => state.isFull,
    end: (code: number) => {
      state.ended = code;
    },
    probe: () => {
      state.probes++;
    },
  };
  const measured = { nowMs: 0, delivered: 0, latencies: [] as number[] };
  const metrics: Metrics = {
    ...NO_METRICS,
    now: () => measured.nowMs,
    delivered: (count) => {
      measured.delivered += count;
    },
    deliveryLatency: (ms) => measured.latencies.push(ms),
  };
  const parts = {
    mailboxes,
    push,
    acks: new SharedTimer(clock, ACK_EXPECTED_MS),
    log: logTo([]),
    metrics,
  };
  const stream = new MailboxStream(parts, phone, outlet, window);
  const store = (name: string, text = name, timing?: DeliveryTiming) => {
    rows.push({ row: { name }, bytes: delivery(phone, name, text).bytes, timing });
  };
  const said = () =>
    frames.map((frame) =>
      frame.case === "deliver"
        ? frame.value.envelopes.map(({ ciphertext }) => Buffer.from(ciphertext.slice(1)).toString())
        : frame.case,
    );
  const delivered = () => said().flatMap((each) => (Array.isArray(each) ? each : []));
  return { stream, store, said, delivered, frames, removed, pushed, clock, state, measured };
}

test("delivers what waits, says drained once, and then what comes", async () => {
  const { stream, store, said } = openStream();
  store("a");
  store("b");
  stream.start();
  await settled();
  expect(said()).toEqual([["a", "b"], "drained"]);
  store("c");
  stream.wake();
  await settled();
  expect(said()).toEqual([["a", "b"], "drained", ["c"]]);
});

test("counts ordinals from 1 and goes on with them", async () => {
  const { stream, store, frames } = openStream();
  store("a");
  store("b");
  stream.start();
  await settled();
  store("c");
  stream.wake();
  await settled();
  const ordinals = frames.flatMap((frame) =>
    frame.case === "deliver" ? [frame.value.firstOrdinal] : [],
  );
  expect(ordinals).toEqual([1n, 3n]);
});

test("answers a drain behind everything that was stored before it", async () => {
  const { stream, store, said } = openStream();
  stream.start();
  await settled();
  store("a"); // And its wake-up is lost.
  stream.drain(7);
  await settled();
  expect(said()).toEqual(["drained", ["a"], "drained"]);
});

test("does not answer a drain by a read that began before it", async () => {
  const { stream, store, said } = openStream();
  stream.start(); // And while it reads:
  store("a");
  stream.drain(7);
  await settled();
  expect(said()).toEqual(["drained", ["a"], "drained"]);
});

test("does not miss a wake-up that comes while it reads", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 12 }), async (turns) => {
      const { stream, store, delivered } = openStream();
      stream.start();
      for (const [i, count] of turns.entries()) {
        store(`m${i}`);
        stream.wake();
        for (let j = 0; j < count; j++) await Promise.resolve();
      }
      await settled();
      expect(delivered()).toEqual(turns.map((_, i) => `m${i}`));
    }),
  ));

test("keeps the window in envelopes, and goes on with each ack", async () => {
  const { stream, store, said, delivered, removed } = openStream({
    envelopes: 2,
    bytes: 1_000_000,
  });
  for (const name of ["a", "b", "c", "d", "e"]) store(name);
  stream.start();
  await settled();
  expect(said()).toEqual([["a", "b"]]);
  await stream.ack(1n);
  await settled();
  expect(delivered()).toEqual(["a", "b", "c"]);
  await stream.ack(3n);
  await settled();
  expect(said().slice(-2)).toEqual([["d", "e"], "drained"]);
  expect(removed).toEqual(["a", "b", "c"]);
});

test("keeps the window in bytes", async () => {
  const { stream, store, delivered } = openStream({ envelopes: 100, bytes: 131_072 });
  for (const name of ["a", "b", "c"]) store(name, name.repeat(60_000));
  stream.start();
  await settled();
  expect(delivered()).toHaveLength(2);
  await stream.ack(1n);
  await settled();
  expect(delivered()).toHaveLength(3);
});

test("refuses an ack beyond what was delivered, and takes an old one again", async () => {
  const { stream, store, removed } = openStream();
  store("a");
  stream.start();
  await settled();
  expect(() => stream.ack(2n)).toThrow(
    expect.objectContaining({ code: ErrorCode.INVALID_REQUEST }),
  );
  await stream.ack(1n);
  await stream.ack(1n);
  expect(removed).toEqual(["a"]);
});

test("pushes and probes when a delivery is not acknowledged in time", async () => {
  const { stream, store, clock, pushed, state } = openStream();
  store("a");
  stream.start();
  await settled();
  await clock.pass(ACK_EXPECTED_MS - 1);
  expect(pushed).toEqual([]);
  await clock.pass(1);
  expect(pushed).toEqual([phone]);
  expect(state.probes).toBe(1);
});

test("pushes once, however much is delivered meanwhile, and again after an ack", async () => {
  const { stream, store, clock, pushed } = openStream();
  store("a");
  stream.start();
  await settled();
  for (let i = 0; i < 3; i++) {
    await clock.pass(ACK_EXPECTED_MS);
    store(`more ${i}`);
    stream.wake();
    await settled();
  }
  expect(pushed).toHaveLength(1);
  await stream.ack(1n);
  await clock.pass(ACK_EXPECTED_MS);
  expect(pushed).toHaveLength(2);
});

test("does not push where the ack came", async () => {
  const { stream, store, clock, pushed } = openStream();
  store("a");
  stream.start();
  await settled();
  await stream.ack(1n);
  await clock.pass(10 * ACK_EXPECTED_MS);
  expect(pushed).toEqual([]);
});

test("ends the connection where its mailbox cannot be read, so that the client comes back", async () => {
  const { stream, state } = openStream();
  state.failsToRead = true;
  stream.start();
  await settled();
  expect(state.ended).toBe(CloseCode.INTERNAL);
});

test("says nothing after it was stopped", async () => {
  const { stream, store, said, state } = openStream();
  store("a");
  stream.start();
  stream.stop();
  await settled();
  stream.wake();
  await settled();
  expect(said()).toEqual([]);
  expect(state.reads).toBeLessThan(2);
});

test("measures how long an envelope took, where the device was there when it was sent", async () => {
  const { stream, store, measured } = openStream();
  measured.nowMs = 1_000;
  store("sent while it was away", "a", { receivedAt: 100, trace: undefined });
  stream.start();
  await settled();
  expect(measured).toMatchObject({ delivered: 1, latencies: [] });
  store("sent while it was there", "b", { receivedAt: 1_000, trace: undefined });
  store("sent before this process began", "c");
  measured.nowMs = 1_004;
  stream.wake();
  await settled();
  expect(measured).toMatchObject({ delivered: 3, latencies: [4] });
});

test("a trace is told when its envelope is written, and when the device has it", async () => {
  const { stream, store } = openStream();
  const told: string[] = [];
  const trace = { written: () => told.push("written"), acked: () => told.push("acked") };
  store("a", "a", { receivedAt: 0, trace });
  store("b");
  stream.start();
  await settled();
  expect(told).toEqual(["written"]);
  await stream.ack(2n);
  expect(told).toEqual(["written", "acked"]);
});

test("delivers no more than the way to the client takes, and goes on when it takes more", async () => {
  const { stream, store, said, state } = openStream();
  store("a");
  state.isFull = true;
  stream.start();
  await settled();
  expect(said()).toEqual([]);
  stream.wake();
  await settled();
  expect(said()).toEqual([]);
  state.isFull = false;
  stream.drained();
  await settled();
  expect(said()).toEqual([["a"], "drained"]);
});
