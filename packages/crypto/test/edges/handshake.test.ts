import { beforeEach, describe, expect, test } from "vitest";
import {
  beginSession,
  CryptoError,
  decodeSessionRecord,
  decrypt,
  encodeSessionRecord,
  runSync,
} from "../../src/index.ts";
import { nodeProvider } from "../../src/platform/node.ts";
import {
  decodePrekeySignalMessage,
  encodePrekeySignalMessage,
  type PrekeySignalMessage,
} from "../../src/ratchet/prekey-signal-message.ts";
import { Party, run } from "../fixtures/party.ts";

let alice: Party;
let bob: Party;

beforeEach(() => {
  alice = new Party("alice");
  bob = new Party("bob");
});

/** A prekey message with other wrapping. */
function rewrapped(ciphertext: Uint8Array, change: Partial<PrekeySignalMessage>): Uint8Array {
  const message = { ...decodePrekeySignalMessage(ciphertext.subarray(1)), ...change };
  return Uint8Array.from([ciphertext[0] as number, ...encodePrekeySignalMessage(message)]);
}

function first({ oneTime }: { oneTime: boolean }): Uint8Array {
  alice.begin(bob, bob.bundle({ oneTime }));
  return alice.say(bob, "hello");
}

describe("who accepts a session", () => {
  test.each([
    ["a Kyber ciphertext of another kind", true, { kyberCiphertext: new Uint8Array(1569) }],
    ["a base key of low order", true, { baseKey: Uint8Array.of(5, ...new Uint8Array(32)) }],
    ["a base key of another kind", true, { baseKey: new Uint8Array(33).fill(9) }],
  ])("takes %s for malformed", (_, oneTime, change) => {
    expect(bob.read(alice, rewrapped(first({ oneTime }), change))).toBe("(malformed)");
  });

  test.each([
    ["another signed prekey", true, { signedPrekeyId: 77 }],
    ["another signed prekey, without a one-time prekey", false, { signedPrekeyId: 77 }],
    ["another one-time prekey for each half", true, { kyberPrekeyId: 11 }],
    ["another last-resort prekey", false, { kyberPrekeyId: 11 }],
  ])("knows no prekey where the message names %s", (_, oneTime, change) => {
    const ciphertext = rewrapped(first({ oneTime }), change);
    expect(bob.read(alice, ciphertext)).toBe("(unknown-prekey)");
    // Nor where the caller looked up what it should not have.
    const [oneTimePrekey] = bob.oneTime.values();
    const prekeys = {
      signedPrekey: bob.signed,
      oneTimePrekey,
      lastResortPrekey: bob.lastResort,
      lastResortUsed: false,
    };
    const outcome = run(decrypt(undefined, bob.context(alice), { ciphertext, prekeys }));
    expect(outcome).toMatchObject({ cause: "unknown-prekey" });
  });

  test("uses no one-time prekey but the one that is named", () => {
    const ciphertext = first({ oneTime: true });
    bob.bundle();
    const [, other] = bob.oneTime.values();
    const prekeys = {
      signedPrekey: bob.signed,
      oneTimePrekey: other,
      lastResortPrekey: undefined,
      lastResortUsed: false,
    };
    const outcome = run(decrypt(undefined, bob.context(alice), { ciphertext, prekeys }));
    expect(outcome).toMatchObject({ cause: "unknown-prekey" });
  });

  test.each([true, false])("knows no prekey where none is left", (oneTime) => {
    const ciphertext = first({ oneTime });
    const nothing = {
      signedPrekey: undefined,
      oneTimePrekey: undefined,
      lastResortPrekey: undefined,
      lastResortUsed: false,
    };
    for (const prekeys of [undefined, nothing, { ...nothing, signedPrekey: bob.signed }]) {
      const outcome = run(decrypt(undefined, bob.context(alice), { ciphertext, prekeys }));
      expect(outcome).toEqual({ kind: "undecryptable", cause: "unknown-prekey" });
    }
  });

  test("keeps nothing of the envelope", () => {
    const ciphertext = first({ oneTime: true });
    const incoming = { ciphertext, prekeys: bob.prekeysFor(ciphertext) };
    const outcome = run(decrypt(undefined, bob.context(alice), incoming));
    if (outcome.kind !== "plaintext") throw new Error(outcome.kind);
    const stored = encodeSessionRecord(outcome.record);
    ciphertext.fill(0);
    expect(encodeSessionRecord(outcome.record)).toEqual(stored);
    const { current } = decodeSessionRecord(stored);
    expect(current?.baseKey).toHaveLength(33);
    expect(current?.remoteRegistrationId).toBe(alice.local.registrationId);
    expect(current?.localRegistrationId).toBe(bob.local.registrationId);
  });

  test("lets through what is a bug of its own and not of the message", () => {
    const ciphertext = first({ oneTime: false });
    const incoming = { ciphertext, prekeys: bob.prekeysFor(ciphertext) };
    for (const broken of [new CryptoError("misuse", "a bug"), new Error("a bug")]) {
      const provider = {
        answer: () => {
          throw broken;
        },
      };
      expect(() => runSync(provider, decrypt(undefined, bob.context(alice), incoming))).toThrow(
        "a bug",
      );
      const bundle = bob.bundle();
      expect(() => runSync(provider, beginSession(undefined, alice.context(bob), bundle))).toThrow(
        "a bug",
      );
    }
  });

  test("has keys of 32 bytes in a session", () => {
    bob.read(alice, first({ oneTime: true }));
    for (const [party, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const { rootKey, sending } = party.record(other)?.current ?? {};
      expect(
        [rootKey, sending?.chainKey, sending?.ratchetPrivate].map((key) => key?.length),
      ).toEqual([32, 32, 32]);
    }
  });
});

describe("who begins a session", () => {
  test("is never the same device, nor has the same identity", () => {
    const context = alice.context(bob);
    const sameDevice = { ...context.remote, ...alice.local, identity: bob.keys.identity };
    const sameIdentity = { ...context.remote, identity: alice.keys.identity };
    for (const remote of [sameDevice, sameIdentity])
      expect(run(beginSession(undefined, { ...context, remote }, bob.bundle()))).toEqual({
        kind: "refused",
        reason: "own-session",
      });
  });

  test("needs a signed prekey", () => {
    const bundle = bob.bundle();
    delete bundle.signedPrekey;
    expect(run(beginSession(undefined, alice.context(bob), bundle))).toMatchObject({
      reason: "no-kyber-prekey",
    });
  });

  test("takes no Kyber key of another kind, though it is signed", () => {
    const bundle = bob.bundle({ oneTime: false });
    const everythingHolds = {
      answer: (call: Parameters<ReturnType<typeof nodeProvider>["answer"]>[0]) =>
        call.primitive === "ed25519Verify" ? Uint8Array.of(1) : nodeProvider().answer(call),
    };
    bundle.lastResortPrekey?.publicKey.fill(0x0a, 0, 1);
    expect(runSync(everythingHolds, beginSession(undefined, alice.context(bob), bundle))).toEqual({
      kind: "refused",
      reason: "invalid-key",
    });
  });
});
