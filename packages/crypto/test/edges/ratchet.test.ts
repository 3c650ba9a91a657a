import { create } from "@bufbuild/protobuf";
import { type SessionRecord, SessionRecordSchema, type SessionState } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import {
  archiveForReset,
  CryptoError,
  canSend,
  decodeSessionRecord,
  decrypt,
  encodeSessionRecord,
  encrypt,
  runSync,
} from "../../src/index.ts";
import { nodeProvider } from "../../src/platform/node.ts";
import { decodePrekeySignalMessage } from "../../src/ratchet/prekey-signal-message.ts";
import { decodeSignalMessage, encodeSignalMessage } from "../../src/ratchet/signal-message.ts";
import {
  FORWARD_JUMP_MAX,
  findSkipped,
  forwardTo,
  SKIPPED_KEY_LIFETIME_MS,
  SKIPPED_KEYS_MAX,
  type SteppedChain,
} from "../../src/ratchet/skipped-keys.ts";
import { forged } from "../fixtures/forgery.ts";
import { Party, run } from "../fixtures/party.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const misuse = expect.objectContaining({ code: "misuse" });
let alice: Party;
let bob: Party;

beforeEach(() => {
  alice = new Party("alice");
  bob = new Party("bob");
  alice.begin(bob);
  bob.read(alice, alice.say(bob, "one"));
  alice.read(bob, bob.say(alice, "two"));
});

function recordOf(party: Party, other: Party): SessionRecord {
  const record = party.record(other);
  if (record?.current === undefined) throw new Error("no session");
  return record;
}

function changeCurrent(party: Party, other: Party, change: Partial<SessionState>): void {
  const record = recordOf(party, other);
  const current = { ...record.current, ...change } as SessionState;
  for (const key of Object.keys(change) as (keyof SessionState)[])
    if (change[key] === undefined) delete current[key];
  party.store(other, { ...record, current });
}

/** Another ratchet key, on the curve or its twist as any u is. */
function otherKey(): Uint8Array {
  return Uint8Array.of(5, 9, ...new Uint8Array(31).fill(7));
}

describe("a session", () => {
  test("is not read with once the device has another identity, on either side", () => {
    const message = alice.say(bob, "hello");
    const context = bob.context(alice);
    const eve = new Party("eve");
    for (const other of [
      { ...context, remote: { ...context.remote, identity: eve.keys.identity } },
      { ...context, local: { ...context.local, keys: eve.keys } },
    ])
      expect(run(decrypt(bob.record(alice), other, { ciphertext: message }))).toEqual({
        kind: "undecryptable",
        cause: "no-session",
      });
    expect(canSend(bob.record(alice), eve.keys.identity, bob.nowMs)).toBe(false);
    expect(bob.read(alice, message)).toBe("hello");
  });

  test("without its post-quantum half neither sends nor reads", () => {
    const message = alice.say(bob, "hello");
    changeCurrent(bob, alice, { pqRatchet: undefined as never });
    expect(canSend(bob.record(alice), alice.keys.identity, bob.nowMs)).toBe(false);
    expect(() => bob.say(alice, "no")).toThrow(misuse);
    expect(bob.read(alice, message)).toBe("(malformed)");
  });

  test("of which only archived ones are left does not send", () => {
    const { archived } = archiveForReset(recordOf(bob, alice), bob.nowMs);
    const record = create(SessionRecordSchema, { archived });
    expect(() => run(encrypt(record, bob.context(alice), new Uint8Array(3)))).toThrow(misuse);
  });

  test("does not count beyond its counter", () => {
    const sending = recordOf(alice, bob).current?.sending;
    changeCurrent(alice, bob, { sending: { ...sending, counter: 0xffff_ffff } as never });
    expect(() => alice.say(bob, "one more")).toThrow(misuse);
    changeCurrent(alice, bob, { sending: { ...sending, counter: 0xffff_fffe } as never });
    expect(alice.say(bob, "the last")[0]).toBe(2);
  });

  test("that cannot send turns no ratchet", () => {
    const message = alice.say(bob, "hello");
    changeCurrent(bob, alice, { sending: undefined as never });
    expect(bob.read(alice, forged(message, { ratchetKey: otherKey() }))).toBe("(not-authentic)");
  });

  test("is with another device, though of the same account", () => {
    const context = alice.context(bob);
    const ciphertext = new Uint8Array(200).fill(0x02);
    const causeFor = (remote: Partial<typeof context.remote>) => {
      const changed = { ...context, remote: { ...context.remote, ...remote } };
      const outcome = run(decrypt(undefined, changed, { ciphertext }));
      return outcome.kind === "undecryptable" ? outcome.cause : outcome.kind;
    };
    const { accountId, deviceId, keys } = alice.local;
    expect(causeFor({ accountId, deviceId })).toBe("own-session");
    expect(causeFor({ identity: keys.identity })).toBe("own-session");
    expect(causeFor({ accountId, deviceId: 2 })).toBe("malformed");
  });
});

describe("a session record", () => {
  test("is refused where it is none, and keeps nothing of its row", () => {
    expect(() => decodeSessionRecord(Uint8Array.of(0xff, 0xff))).toThrow(CryptoError);
    const row = encodeSessionRecord(recordOf(alice, bob));
    const record = decodeSessionRecord(row);
    const before = encodeSessionRecord(record);
    row.fill(0);
    expect(encodeSessionRecord(record)).toEqual(before);
  });

  test("holds each session once, whichever is promoted", () => {
    const late = [alice.say(bob, "late"), alice.say(bob, "later")];
    bob.begin(alice);
    bob.begin(alice);
    for (const text of ["late", "later"])
      expect(bob.read(alice, late.shift() as Uint8Array)).toBe(text);
    const { current, archived } = recordOf(bob, alice);
    const baseKeys = [current, ...archived].map((state) => String(state?.baseKey));
    expect(new Set(baseKeys).size).toBe(3);
    expect(baseKeys).toHaveLength(3);
  });

  test("of a reset changes the session that has read, and no other", () => {
    const late = alice.say(bob, "late");
    bob.begin(alice);
    bob.store(alice, archiveForReset(recordOf(bob, alice), bob.nowMs));
    const before = bob.record(alice)?.archived ?? [];
    expect(bob.read(alice, late)).toBe("late");
    const after = bob.record(alice)?.archived ?? [];
    expect(after[0]).toEqual(before[0]);
    expect(after[1]).not.toEqual(before[1]);
    expect(after).toHaveLength(2);
  });

  test("of nothing is reset to nothing", () => {
    expect(archiveForReset(create(SessionRecordSchema), 0).archived).toEqual([]);
  });

  test("drops an archived session after 30 days", () => {
    bob.begin(alice);
    bob.nowMs += 30 * DAY_MS - 1;
    bob.begin(alice);
    expect(bob.record(alice)?.archived).toHaveLength(2);
    bob.nowMs += 1;
    bob.begin(alice);
    expect(bob.record(alice)?.archived).toHaveLength(2);
  });
});

describe("what no session can be told to own", () => {
  test("is tried on one session after the other, within the steps of one", () => {
    const genuine = alice.say(bob, "genuine");
    const at = (counter: number, index: number) =>
      bob.read(
        alice,
        forged(genuine, { ratchetKey: otherKey(), counter: () => counter, index: () => index }),
      );
    expect(at(FORWARD_JUMP_MAX, FORWARD_JUMP_MAX)).toBe("(not-authentic)");
    expect(at(FORWARD_JUMP_MAX + 1, 1)).toBe("(too-far-ahead)");
    for (let n = 0; n < 3; n++) {
      bob.begin(alice);
      alice.read(bob, bob.say(alice, "anew"));
      bob.read(alice, alice.say(bob, "answer"));
    }
    // Four sessions, whose epoch stands at index 1 or 2.
    expect(at(900, 2)).toBe("(not-authentic)");
    expect(at(1000, 900)).toBe("(too-far-ahead)");
    expect(at(0, 1900)).toBe("(too-far-ahead)");
    expect(at(1900, 0)).toBe("(too-far-ahead)");
    expect(bob.read(alice, genuine)).toBe("genuine");
  });
});

describe("a ratchet key that a session has met", () => {
  function agreementsFor(ciphertext: Uint8Array): number {
    let agreements = 0;
    const provider = nodeProvider();
    const counting = {
      answer: (call: Parameters<typeof provider.answer>[0]) => {
        if (call.primitive === "x25519") agreements += 1;
        return provider.answer(call);
      },
    };
    const outcome = runSync(
      counting,
      decrypt(bob.record(alice), bob.context(alice), { ciphertext }),
    );
    expect(outcome.kind).not.toBe("plaintext");
    return agreements;
  }

  test("is looked for in no other session, also when its chain is gone", () => {
    const old = alice.say(bob, "old");
    bob.read(alice, old);
    const tampered = forged(alice.say(bob, "x"), { counter: (counter) => counter + 1 });
    for (let n = 0; n < 3; n++) bob.begin(alice);
    expect(agreementsFor(tampered)).toBe(0);
    for (let turn = 0; turn < 8; turn++) {
      bob.read(alice, alice.say(bob, "pong"));
      alice.read(bob, bob.say(alice, "ping"));
    }
    expect(agreementsFor(old)).toBe(0);
    expect(agreementsFor(forged(old, { ratchetKey: otherKey() }))).toBeGreaterThan(3);
  });
});

describe("a key of the post-quantum ratchet", () => {
  test("that is used up, or too far ahead, opens nothing", () => {
    const read = alice.say(bob, "read");
    bob.read(alice, read);
    const next = alice.say(bob, "next");
    expect(bob.read(alice, forged(next, { index: (index) => index - 1 }))).toBe("(not-authentic)");
    expect(bob.read(alice, forged(next, { index: (index) => index + 5000 }))).toBe(
      "(too-far-ahead)",
    );
    expect(bob.read(alice, next)).toBe("next");
  });

  test("must be there, and well-formed", () => {
    const message = decodeSignalMessage(alice.say(bob, "x").subarray(1));
    const mac = {
      key: new Uint8Array(32),
      senderIdentity: alice.keys.identity,
      receiverIdentity: bob.keys.identity,
    };
    for (const pqRatchet of [undefined, Uint8Array.of(9)]) {
      const bytes = encodeSignalMessage({ ...message, pqRatchet }, mac);
      expect(bob.read(alice, Uint8Array.of(2, ...bytes))).toBe("(malformed)");
    }
  });
});

describe("what is a bug of the program and not of the message", () => {
  test("is not taken for a malformed message", () => {
    const ciphertext = forged(alice.say(bob, "x"), { ratchetKey: otherKey() });
    for (const broken of [new CryptoError("misuse", "a bug"), new Error("a bug")]) {
      const provider = {
        answer: () => {
          throw broken;
        },
      };
      const reading = decrypt(bob.record(alice), bob.context(alice), { ciphertext });
      expect(() => runSync(provider, reading)).toThrow("a bug");
    }
  });
});

describe("skipped keys", () => {
  const empty: SteppedChain = { chainKey: new Uint8Array(32), counter: 0, skipped: [] };

  test("are the newest 2,000, and none beyond", () => {
    const { chain } = forwardTo(empty, SKIPPED_KEYS_MAX, 0);
    expect(chain.skipped).toHaveLength(SKIPPED_KEYS_MAX);
    expect(findSkipped(chain, 0)).toBeDefined();
    const { chain: further } = forwardTo(chain, SKIPPED_KEYS_MAX + 2, 0);
    expect(further.skipped).toHaveLength(SKIPPED_KEYS_MAX);
    expect(findSkipped(further, 0)).toBeUndefined();
    expect(findSkipped(further, SKIPPED_KEYS_MAX + 1)).toBeDefined();
    const { chain: few } = forwardTo(empty, 3, 0);
    expect(few.skipped.map(({ counter }) => counter)).toEqual([0, 1, 2]);
  });

  test("live 30 days, each for itself", () => {
    const { chain } = forwardTo(empty, 1, 0);
    const { chain: later } = forwardTo(chain, 3, 5);
    const kept = (nowMs: number) =>
      forwardTo(later, 4, nowMs).chain.skipped.map(({ counter }) => counter);
    expect(kept(SKIPPED_KEY_LIFETIME_MS)).toEqual([0, 2]);
    expect(kept(SKIPPED_KEY_LIFETIME_MS + 1)).toEqual([2]);
    expect(kept(SKIPPED_KEY_LIFETIME_MS + 6)).toEqual([]);
  });
});

describe("a number on the wire", () => {
  const mac = {
    key: new Uint8Array(32),
    senderIdentity: new Uint8Array(33),
    receiverIdentity: new Uint8Array(33),
  };
  const message = (counter: number) => ({
    ratchetKey: new Uint8Array(33),
    counter,
    previousCounter: 0,
    ciphertext: new Uint8Array(16),
    pqRatchet: undefined,
    addresses: undefined,
  });
  const whole = encodeSignalMessage(message(0), mac);
  const AT = 1 + 2 + 33;

  /** With these bytes in the place of the counter's field. */
  const withField = (...field: number[]) =>
    decodeSignalMessage(
      Uint8Array.from([...whole.subarray(0, AT), ...field, ...whole.subarray(AT + 2)]),
    );

  test.each([0, 1, 127, 128, 129, 16_383, 16_384, 0xffff_ffff])("%d comes back", (counter) => {
    expect(decodeSignalMessage(encodeSignalMessage(message(counter), mac)).counter).toBe(counter);
  });

  test.each([
    ["longer than it needs to be", [0x10, 0x80, 0x00]],
    ["longer still", [0x10, 0xff, 0x80, 0x00]],
    ["above 32 bits", [0x10, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ["of six bytes", [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ["of another wire type", [0x12, 0x01, 0x00]],
    ["left out", []],
  ])("is refused where it is %s", (_, field) => {
    expect(() => withField(...field)).toThrow(CryptoError);
  });

  test("is refused where it is cut off", () => {
    const cut = Uint8Array.from([...whole.subarray(0, AT), 0x10, 0x80, ...new Uint8Array(8)]);
    expect(() => decodeSignalMessage(cut)).toThrow(CryptoError);
  });

  test("needs its message's version", () => {
    const first = new Party("eve");
    first.begin(bob);
    const prekeyMessage = first.say(bob, "hello").slice(1);
    expect(decodePrekeySignalMessage(prekeyMessage).signedPrekeyId).toBe(1);
    prekeyMessage[0] = 0x34;
    expect(() => decodePrekeySignalMessage(prekeyMessage)).toThrow(CryptoError);
  });
});
