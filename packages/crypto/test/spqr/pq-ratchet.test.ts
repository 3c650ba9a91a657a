import { BraidPhase, type PqRatchet } from "@parley/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BraidMessage,
  decodeBraidMessage,
  encodeBraidMessage,
} from "../../src/spqr/braid-message.ts";
import { newPqRatchet, pqReceive, pqSend } from "../../src/spqr/pq-ratchet.ts";
import { run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

const KEY = new Uint8Array(32).fill(7);
const NOW_MS = 1_700_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Sent {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
}

/** Two ratchets, and messages of which the test says which arrive. */
class Pair {
  readonly sides: [PqRatchet, PqRatchet];
  readonly #random = seededRandom("pair");

  constructor(key = KEY) {
    this.sides = [newPqRatchet(true, key), newPqRatchet(false, key)];
  }

  send(from: 0 | 1): Sent {
    const { ratchet, message, key } = run(pqSend(this.sides[from], this.#random));
    this.sides[from] = ratchet;
    return { message, key };
  }

  receive(to: 0 | 1, message: Uint8Array, nowMs = NOW_MS) {
    const received = run(pqReceive(this.sides[to], decodeBraidMessage(message), nowMs));
    if (received.kind === "key") this.sides[to] = received.ratchet;
    return received;
  }

  /** One message that arrives. */
  say(from: 0 | 1): void {
    const { message, key } = this.send(from);
    expect(this.receive((1 - from) as 0 | 1, message)).toMatchObject({ kind: "key", key });
  }

  /** In turns, until both have reached that epoch. */
  reach(epoch: bigint): void {
    for (let n = 0; this.epochs().some((each) => each < epoch); n++) {
      expect(n).toBeLessThan(2_000);
      this.say((n % 2) as 0 | 1);
    }
  }

  epochs(): bigint[] {
    return this.sides.map(({ braid }) => braid?.epoch ?? 0n);
  }
}

test("both sides have the same key for every message, over epochs and lost messages", () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.nat(), (lossPercent, seed) => {
      const pair = new Pair();
      const draw = seededRandom(`loss ${seed}`);
      const dice = () => ((draw(2)[0] as number) * 100) / 256;
      for (let n = 0; n < 400; n++) {
        const from = dice() < 50 ? 0 : 1;
        const { message, key } = pair.send(from);
        if (dice() < lossPercent) continue;
        const received = pair.receive((1 - from) as 0 | 1, message);
        expect(received).toMatchObject({ kind: "key", key });
      }
      expect(Math.min(...pair.epochs().map(Number))).toBeGreaterThan(lossPercent < 30 ? 2 : 0);
    }),
    { numRuns: 12, seed: 5 },
  ));

test("messages in any order are read once each", () =>
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const pair = new Pair();
      const draw = seededRandom(`order ${seed}`);
      const onTheWay: [Sent[], Sent[]] = [[], []];
      for (let n = 0; n < 300; n++) {
        const [coin, at] = draw(2) as Uint8Array & [number, number];
        const side = (coin & 1) as 0 | 1;
        if ((coin & 6) !== 0) onTheWay[side].push(pair.send((1 - side) as 0 | 1));
        const queue = onTheWay[side];
        if (queue.length === 0) continue;
        const [{ message, key }] = queue.splice(at % Math.min(queue.length, 30), 1) as [Sent];
        expect(pair.receive(side, message)).toMatchObject({ kind: "key", key });
        expect(pair.receive(side, message)).toEqual({ kind: "repeat" });
      }
    }),
    { numRuns: 12, seed: 5 },
  ));

test("every key is another one, whichever side and epoch", () => {
  const pair = new Pair();
  const keys = new Set<string>();
  let sent = 0;
  while (Number(pair.epochs()[0]) < 4) {
    const from = (sent++ % 2) as 0 | 1;
    const { message, key } = pair.send(from);
    keys.add(Buffer.from(key).toString("hex"));
    pair.receive((1 - from) as 0 | 1, message);
  }
  expect(keys.size).toBe(sent);
});

describe("a side that does not know the handshake's key", () => {
  test("cannot pass off a key of its own", () => {
    const pair = new Pair();
    const thief = new Pair(new Uint8Array(32).fill(8));
    for (let n = 0; n < 2; n++) pair.receive(1, pair.send(0).message);
    expect(pair.sides[1].braid?.phase).toBe(BraidPhase.NO_HEADER_RECEIVED);
    const before = pair.sides[1];
    for (let n = 0; n < 2; n++) thief.send(0);
    const third = decodeBraidMessage(thief.send(0).message);
    expect(run(pqReceive(pair.sides[1], third, NOW_MS))).toEqual({
      kind: "failed",
      cause: "not-authentic",
    });
    expect(pair.sides[1]).toBe(before);
  });

  test("cannot pass off a ciphertext", () => {
    const pair = new Pair();
    while (pair.sides[0].braid?.phase !== BraidPhase.EK_SENT_CT1_RECEIVED)
      for (const from of [0, 1] as const) pair.say(from);
    let outcome: string = "key";
    for (let n = 0; n < 6 && outcome === "key"; n++) {
      const genuine = decodeBraidMessage(pair.send(1).message);
      expect(genuine.payload.kind).toBe("ct2");
      const data = new Uint8Array(32).fill(n + 1);
      const payload = { kind: "ct2" as const, chunk: { index: 100 + n, data } };
      const forged = encodeBraidMessage({ ...genuine, payload });
      outcome = pair.receive(0, forged).kind;
    }
    expect(outcome).toBe("failed");
  });

  test("cannot move anybody to an epoch that has not begun", () => {
    const pair = new Pair();
    for (const epoch of [2n, 3n, 2n ** 63n]) {
      const message: BraidMessage = { epoch, index: 1, payload: { kind: "none" } };
      expect(pair.receive(1, encodeBraidMessage(message)).kind).toBe("failed");
    }
  });
});

test("follows no index further than 2,000 beyond the last, and keeps no key for longer than 30 days", () => {
  const pair = new Pair();
  const sent = Array.from({ length: 2_003 }, () => pair.send(0));
  expect(pair.receive(1, (sent[2_001] as Sent).message)).toEqual({
    kind: "failed",
    cause: "too-far-ahead",
  });
  expect(pair.receive(1, (sent[2_000] as Sent).message).kind).toBe("key");
  expect(pair.receive(1, (sent[5] as Sent).message).kind).toBe("key");
  pair.receive(1, (sent[2_002] as Sent).message, NOW_MS + 31 * DAY_MS);
  expect(pair.receive(1, (sent[6] as Sent).message)).toEqual({ kind: "repeat" });
});

test("after three more epochs a copy of a side's state has no key for what comes, and no old ones either", () => {
  const pair = new Pair();
  pair.reach(2n);
  const late = pair.send(0);
  const stolen = pair.sides[1];
  pair.receive(1, late.message);
  pair.reach(5n);
  const fresh = pair.send(0);
  expect(run(pqReceive(stolen, decodeBraidMessage(fresh.message), NOW_MS)).kind).toBe("failed");
  const held = pair.sides[1].epochs.map(({ epoch }) => epoch);
  expect(held.length).toBeLessThanOrEqual(4);
  expect(JSON.stringify(pair.sides[1].epochs, hexed)).not.toContain(hex(late.key));
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const hexed = (_: string, value: unknown) =>
  value instanceof Uint8Array ? hex(value) : typeof value === "bigint" ? String(value) : value;

const payloads = fc.oneof(
  fc.record({ kind: fc.constantFrom("none" as const, "ct1-ack" as const) }),
  fc.record({
    kind: fc.constantFrom(...(["header", "ek", "ek-ct1-ack", "ct1", "ct2"] as const)),
    chunk: fc.record({
      index: fc.nat(0xffff),
      data: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
  }),
);

test("a message survives its encoding, and what is nobody's is malformed", () =>
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      fc.nat(0xffff_ffff),
      payloads,
      fc.uint8Array({ maxLength: 60 }),
      (epoch, index, payload, garbage) => {
        const message = { epoch, index, payload };
        const bytes = encodeBraidMessage(message);
        expect(decodeBraidMessage(bytes)).toEqual(message);
        expect(() => decodeBraidMessage(bytes.subarray(0, -1))).toThrow(/post-quantum/);
        expect(() => decodeBraidMessage(Uint8Array.of(...bytes, 0))).toThrow(/post-quantum/);
        try {
          const read = decodeBraidMessage(garbage);
          expect(encodeBraidMessage(read)).toEqual(garbage);
        } catch (cause) {
          expect(cause).toMatchObject({ code: "malformed" });
        }
      },
    ),
  ));
