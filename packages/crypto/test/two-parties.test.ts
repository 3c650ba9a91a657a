import type { SessionRecord } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import {
  archiveForReset,
  beginSession,
  canSend,
  decrypt,
  encrypt,
  parsePrekeyMessage,
} from "../src/index.ts";
import { Party, run } from "./fixtures/party.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
let alice: Party;
let bob: Party;

beforeEach(() => {
  alice = new Party("alice");
  bob = new Party("bob");
});

/** Both have read something of the other: no more prekey messages. */
function settled(): void {
  alice.begin(bob);
  bob.read(alice, alice.say(bob, "one"));
  alice.read(bob, bob.say(alice, "two"));
}

describe("a conversation", () => {
  test("begins with prekey messages and goes on with ordinary ones once answered", () => {
    alice.begin(bob);
    const first = alice.say(bob, "hello");
    const second = alice.say(bob, "are you there?");
    expect([first[0], second[0]]).toEqual([0x03, 0x03]);
    expect(bob.read(alice, first)).toBe("hello");
    expect(bob.read(alice, second)).toBe("are you there?");
    const answer = bob.say(alice, "yes");
    expect(answer[0]).toBe(0x02);
    expect(alice.read(bob, answer)).toBe("yes");
    const third = alice.say(bob, "good");
    expect(third[0]).toBe(0x02);
    expect(bob.read(alice, third)).toBe("good");
  });

  test("works without a one-time prekey", () => {
    alice.begin(bob, bob.bundle({ oneTime: false }));
    expect(bob.read(alice, alice.say(bob, "hello"))).toBe("hello");
    expect(alice.read(bob, bob.say(alice, "hi"))).toBe("hi");
  });

  test("takes messages in any order, each once", () => {
    settled();
    const sent = [0, 1, 2, 3].map((n) => alice.say(bob, `message ${n}`));
    for (const n of [2, 0, 3, 1])
      expect(bob.read(alice, sent[n] as Uint8Array)).toBe(`message ${n}`);
    for (const ciphertext of sent) expect(bob.read(alice, ciphertext)).toBe("(repeat)");
  });

  test("tells a repeat from a failure however many turns have passed", () => {
    settled();
    const old = alice.say(bob, "old");
    bob.read(alice, old);
    for (let turn = 0; turn < 20; turn++) {
      alice.read(bob, bob.say(alice, "ping"));
      bob.read(alice, alice.say(bob, "pong"));
    }
    expect(bob.read(alice, old)).toBe("(repeat)");
  });

  test("does not take a lost message of a chain that is gone for a repeat", () => {
    settled();
    const lost = alice.say(bob, "lost");
    bob.read(alice, alice.say(bob, "after it"));
    for (let turn = 0; turn < 20; turn++) {
      alice.read(bob, bob.say(alice, "ping"));
      bob.read(alice, alice.say(bob, "pong"));
    }
    expect(bob.read(alice, lost)).toBe("(not-authentic)");
  });
});

describe("the first message", () => {
  test("says which prekeys it needs, and which it used up", () => {
    alice.begin(bob);
    const ciphertext = alice.say(bob, "hello");
    const needs = parsePrekeyMessage(ciphertext);
    expect(needs).toEqual({
      signedPrekeyId: 1,
      oneTimePrekeyId: 10,
      lastResortPrekeyId: undefined,
      lastResortUse: undefined,
    });
    const outcome = bob.receive(alice, ciphertext);
    expect(outcome).toMatchObject({
      kind: "plaintext",
      handshake: { oneTimePrekeyId: 10, lastResortUse: undefined },
    });
    expect(parsePrekeyMessage(bob.say(alice, "hi"))).toBeUndefined();
  });

  test("hits the session that it began when it comes again, without its prekey", () => {
    alice.begin(bob);
    const first = alice.say(bob, "hello");
    const second = alice.say(bob, "again");
    expect(bob.read(alice, second)).toBe("again");
    expect(bob.oneTime.size).toBe(0);
    expect(bob.read(alice, first)).toBe("hello");
    expect(bob.read(alice, first)).toBe("(repeat)");
  });

  test("is refused where its one-time prekey is gone", () => {
    alice.begin(bob);
    const ciphertext = alice.say(bob, "hello");
    bob.oneTime.clear();
    expect(bob.read(alice, ciphertext)).toBe("(unknown-prekey)");
    expect(bob.records.size).toBe(0);
  });

  test("begins one session only on the last-resort prekey", () => {
    alice.begin(bob, bob.bundle({ oneTime: false }));
    const ciphertext = alice.say(bob, "hello");
    expect(bob.read(alice, ciphertext)).toBe("hello");
    expect(bob.read(alice, ciphertext)).toBe("(repeat)");
    bob.records.clear();
    expect(bob.read(alice, ciphertext)).toBe("(replayed-handshake)");
  });

  test("is refused under another identity than the account lists", () => {
    alice.begin(bob);
    const ciphertext = alice.say(bob, "hello");
    const context = bob.context(alice);
    const remote = { ...context.remote, identity: new Party("mallory").keys.identity };
    const incoming = { ciphertext, prekeys: bob.prekeysFor(ciphertext) };
    expect(run(decrypt(undefined, { ...context, remote }, incoming))).toEqual({
      kind: "undecryptable",
      cause: "identity-mismatch",
    });
  });

  test("is refused by whom it was not made for, and from whom did not make it", () => {
    alice.begin(bob);
    const ciphertext = alice.say(bob, "hello");
    const context = bob.context(alice);
    const incoming = { ciphertext, prekeys: bob.prekeysFor(ciphertext) };
    const mismatch = { kind: "undecryptable", cause: "address-mismatch" };
    const local = { ...context.local, deviceId: 2 };
    expect(run(decrypt(undefined, { ...context, local }, incoming))).toEqual(mismatch);
    const remote = { ...context.remote, accountId: new Uint8Array(16) };
    expect(run(decrypt(undefined, { ...context, remote }, incoming))).toEqual(mismatch);
  });

  test("must name its addresses", () => {
    alice.begin(bob);
    const record = alice.record(bob);
    if (record === undefined) throw new Error("no session");
    const rules = { addressesInPrekeyMessages: false };
    const { ciphertext } = run(encrypt(record, alice.context(bob), new Uint8Array(1), rules));
    expect(bob.read(alice, ciphertext)).toBe("(address-mismatch)");
  });
});

describe("a prekey bundle", () => {
  const attempt = (change: (bundle: ReturnType<Party["bundle"]>) => void, oneTime = true) => {
    const bundle = bob.bundle({ oneTime });
    change(bundle);
    return run(beginSession(undefined, alice.context(bob), bundle));
  };
  const flip = (bytes: Uint8Array | undefined, at: number) => {
    if (bytes) bytes[at] = (bytes[at] as number) ^ 1;
  };

  test.each([
    ["signed prekey", (b: ReturnType<Party["bundle"]>) => flip(b.signedPrekey?.signature, 3)],
    ["Kyber prekey", (b: ReturnType<Party["bundle"]>) => flip(b.oneTimePrekey?.kyberSignature, 3)],
    [
      "Kyber key itself",
      (b: ReturnType<Party["bundle"]>) => flip(b.oneTimePrekey?.kyberPublicKey, 9),
    ],
  ])("is refused where the %s is not signed", (_, change) => {
    expect(attempt(change)).toEqual({ kind: "refused", reason: "wrong-signature" });
  });

  test("is refused where the last-resort prekey is not signed", () => {
    const verdict = attempt((b) => flip(b.lastResortPrekey?.signature, 3), false);
    expect(verdict).toEqual({ kind: "refused", reason: "wrong-signature" });
  });

  test("is refused without a Kyber prekey, and for another device", () => {
    expect(attempt((b) => delete b.oneTimePrekey)).toMatchObject({ reason: "no-kyber-prekey" });
    expect(attempt((b) => (b.deviceId = 2))).toMatchObject({ reason: "wrong-device" });
  });

  test("is refused with a one-time key of low order", () => {
    const verdict = attempt((b) => b.oneTimePrekey?.curvePublicKey.fill(0, 1));
    expect(verdict).toEqual({ kind: "refused", reason: "invalid-key" });
  });

  test("of oneself is refused", () => {
    const own = alice.context(alice);
    expect(run(beginSession(undefined, own, alice.bundle()))).toEqual({
      kind: "refused",
      reason: "own-session",
    });
    const ciphertext = new Uint8Array(200).fill(0x02);
    expect(run(decrypt(undefined, own, { ciphertext }))).toMatchObject({ cause: "own-session" });
  });
});

describe("two sessions at once", () => {
  test("converge after both have begun one", () => {
    alice.begin(bob);
    bob.begin(alice);
    const a = alice.say(bob, "from alice");
    const b = bob.say(alice, "from bob");
    expect(bob.read(alice, a)).toBe("from alice");
    expect(alice.read(bob, b)).toBe("from bob");
    for (let turn = 0; turn < 3; turn++) {
      expect(bob.read(alice, alice.say(bob, `a${turn}`))).toBe(`a${turn}`);
      expect(alice.read(bob, bob.say(alice, `b${turn}`))).toBe(`b${turn}`);
    }
    const baseKeyOf = (one: Party, other: Party) => one.record(other)?.current?.baseKey;
    expect(baseKeyOf(alice, bob)).toEqual(baseKeyOf(bob, alice));
  });

  test("keep what the older one still reads, for 30 days", () => {
    settled();
    const late = [alice.say(bob, "late"), alice.say(bob, "too late")];
    bob.begin(alice);
    expect(bob.read(alice, late[0] as Uint8Array)).toBe("late");
    bob.begin(alice);
    bob.nowMs += 30 * DAY_MS;
    expect(bob.read(alice, late[1] as Uint8Array)).toBe("(not-authentic)");
  });

  test("are archived at most 40 times", () => {
    settled();
    for (let n = 0; n < 50; n++) alice.begin(bob);
    expect(alice.record(bob)?.archived.length).toBe(40);
  });
});

describe("time", () => {
  test("ends a session that is not answered for 30 days", () => {
    settled();
    const { identity } = bob.keys;
    expect(canSend(alice.record(bob), identity, alice.nowMs + 30 * DAY_MS - 1)).toBe(true);
    expect(canSend(alice.record(bob), identity, alice.nowMs + 30 * DAY_MS)).toBe(false);
    expect(canSend(undefined, identity, 0)).toBe(false);
  });

  test("forgets keys of messages that never came", () => {
    settled();
    const skipped = alice.say(bob, "skipped");
    bob.read(alice, alice.say(bob, "came"));
    expect(bob.record(alice)?.current?.receiving.at(-1)?.skipped.length).toBe(1);
    bob.nowMs += 31 * DAY_MS;
    bob.read(alice, alice.say(bob, "later"));
    expect(bob.record(alice)?.current?.receiving.at(-1)?.skipped.length).toBe(0);
    expect(bob.read(alice, skipped)).toBe("(repeat)");
  });
});

describe("after a reset", () => {
  test("old sessions read, never send, and are never promoted", () => {
    settled();
    const late = alice.say(bob, "late");
    const record = bob.record(alice);
    if (record === undefined) throw new Error("no session");
    bob.store(alice, archiveForReset(record, bob.nowMs));
    expect(canSend(bob.record(alice), alice.keys.identity, bob.nowMs)).toBe(false);
    expect(bob.read(alice, late)).toBe("late");
    expect(bob.read(alice, late)).toBe("(repeat)");
    expect(canSend(bob.record(alice), alice.keys.identity, bob.nowMs)).toBe(false);
    bob.begin(alice);
    const current = bob.record(alice)?.current?.baseKey;
    expect(bob.read(alice, alice.say(bob, "later"))).toBe("later");
    expect(bob.record(alice)?.current?.baseKey).toEqual(current);
  });
});

describe("after resets on both sides that cross", () => {
  test("one session is found in which both are answered", () => {
    const sayAnew = (from: Party, to: Party, text: string) => {
      if (!canSend(from.record(to), to.keys.identity, from.nowMs)) from.begin(to);
      return from.say(to, text);
    };
    const onTheWay = [sayAnew(alice, bob, "from alice"), sayAnew(bob, alice, "from bob")] as const;
    for (const [me, other] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      me.store(other, archiveForReset(me.record(other) as SessionRecord, me.nowMs));
    expect(bob.read(alice, onTheWay[0])).toBe("from alice");
    expect(alice.read(bob, onTheWay[1])).toBe("from bob");
    for (let round = 0; round < 2; round++) {
      expect(bob.read(alice, sayAnew(alice, bob, `a${round}`))).toBe(`a${round}`);
      expect(alice.read(bob, sayAnew(bob, alice, `b${round}`))).toBe(`b${round}`);
    }
    const [mine, theirs] = [alice.record(bob)?.current, bob.record(alice)?.current];
    expect(mine?.baseKey).toEqual(theirs?.baseKey);
    expect([mine?.receiveOnly, theirs?.receiveOnly]).toEqual([false, false]);
    expect(mine?.pendingPrekey ?? theirs?.pendingPrekey).toBeUndefined();
  });
});

describe("what is forged", () => {
  test.each([
    ["a chain that is known", 1],
    ["a chain that is new", 0],
  ])("on %s changes nothing and costs little, however far its counter jumps", (_, before) => {
    settled();
    for (let n = 0; n < before; n++) bob.read(alice, alice.say(bob, "known"));
    const genuine = alice.say(bob, "x");
    const stored = bob.records.values().next().value;
    for (const [counter, cause] of [
      [1_900, "(not-authentic)"],
      [24_000, "(too-far-ahead)"],
      [0xffff_ffff, "(too-far-ahead)"],
    ] as const) {
      const startedAt = performance.now();
      expect(bob.read(alice, withCounter(genuine, counter))).toBe(cause);
      // 2,000 steps of two HMACs: measured 14 ms. 25,000 would take 12 times that.
      expect(performance.now() - startedAt).toBeLessThan(200);
      expect(bob.records.values().next().value).toEqual(stored);
    }
    expect(bob.read(alice, genuine)).toBe("x");
  });

  test("is refused whichever bit of a message was changed", () => {
    settled();
    bob.read(alice, alice.say(bob, "known"));
    const genuine = alice.say(bob, "a text of more than one block of the cipher");
    for (let bit = 0; bit < genuine.length * 8; bit++) {
      const changed = genuine.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(bob.receive(alice, changed).kind).not.toBe("plaintext");
    }
    expect(bob.read(alice, genuine)).toBe("a text of more than one block of the cipher");
  });

  test("is not followed further than 2,000, and what is genuine is", () => {
    settled();
    bob.read(alice, alice.say(bob, "first of the chain"));
    const sent = Array.from({ length: 2002 }, (_, n) => alice.say(bob, `n${n}`));
    expect(bob.read(alice, sent[2001] as Uint8Array)).toBe("(too-far-ahead)");
    expect(bob.read(alice, sent[2000] as Uint8Array)).toBe("n2000");
    expect(bob.read(alice, sent[2001] as Uint8Array)).toBe("n2001");
    const skipped = () => bob.record(alice)?.current?.receiving.at(-1)?.skipped.length;
    expect(skipped()).toBe(2000);
    alice.say(bob, "lost");
    bob.read(alice, alice.say(bob, "and later"));
    expect(skipped()).toBe(2000);
  });
});

/** The message with another counter (its second field), and so with a MAC that does not hold. */
function withCounter(ciphertext: Uint8Array, counter: number): Uint8Array {
  const varint: number[] = [];
  for (let rest = counter; ; rest = Math.floor(rest / 128)) {
    varint.push(rest >= 128 ? (rest % 128) | 128 : rest);
    if (rest < 128) break;
  }
  const at = 2 + 2 + 33 + 1; // Kind, version, ratchet key with tag and length, tag of the counter.
  return Uint8Array.from([
    ...ciphertext.subarray(0, at),
    ...varint,
    ...ciphertext.subarray(at + 1),
  ]);
}
