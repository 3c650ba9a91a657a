import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CryptoError } from "../src/index.ts";
import { readCiphertext } from "../src/ratchet/ciphertext.ts";
import {
  decodePrekeySignalMessage,
  encodePrekeySignalMessage,
} from "../src/ratchet/prekey-signal-message.ts";
import { decodeSignalMessage, encodeSignalMessage } from "../src/ratchet/signal-message.ts";
import { Party } from "./fixtures/party.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const mac = {
  key: new Uint8Array(32),
  senderIdentity: new Uint8Array(33),
  receiverIdentity: new Uint8Array(33),
};

const signalMessage = fc.record({
  ratchetKey: exactly(33),
  counter: uint32,
  previousCounter: uint32,
  ciphertext: fc.uint8Array({ maxLength: 300 }),
  pqRatchet: fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined }),
  addresses: fc.option(exactly(36), { nil: undefined }),
});

const prekeyMessage = fc.record({
  oneTimePrekeyId: fc.option(uint32, { nil: undefined }),
  baseKey: exactly(33),
  identity: exactly(33),
  message: fc.uint8Array({ maxLength: 300 }),
  registrationId: uint32,
  signedPrekeyId: uint32,
  kyberPrekeyId: uint32,
  kyberCiphertext: exactly(1569),
});

test("messages come back as they were written", () => {
  fc.assert(
    fc.property(signalMessage, (message) => {
      expect(decodeSignalMessage(encodeSignalMessage(message, mac))).toMatchObject(message);
    }),
  );
  fc.assert(
    fc.property(prekeyMessage, (message) => {
      expect(decodePrekeySignalMessage(encodePrekeySignalMessage(message))).toEqual(message);
    }),
  );
});

test("a decoder answers whatever it is given, and soon", () => {
  const party = { alice: new Party("alice"), bob: new Party("bob") };
  party.alice.begin(party.bob);
  const seeds = [
    party.alice.say(party.bob, "hello"),
    party.alice.say(party.bob, "a longer text ".repeat(20)),
  ];
  party.bob.read(party.alice, seeds[0] as Uint8Array);
  seeds.push(party.bob.say(party.alice, "answer"));
  const mutation = fc.record({
    seed: fc.nat(seeds.length - 1),
    edits: fc.array(fc.tuple(fc.nat(2000), fc.nat(255), fc.nat(2)), { maxLength: 6 }),
    cut: fc.option(fc.nat(2000), { nil: undefined }),
  });
  fc.assert(
    fc.property(mutation, ({ seed, edits, cut }) => {
      const bytes = [...(seeds[seed] as Uint8Array)];
      for (const [at, value, kind] of edits) {
        const place = at % bytes.length;
        if (kind === 0) bytes[place] = value;
        else if (kind === 1) bytes.splice(place, 0, value);
        else bytes.splice(place, 1);
      }
      const input = Uint8Array.from(bytes.slice(0, cut));
      const startedAt = performance.now();
      const read = readCiphertext(input);
      expect(performance.now() - startedAt).toBeLessThan(100);
      expect(["message", "prekey-message", "malformed", "unknown-kind"]).toContain(read.kind);
    }),
    { numRuns: 3000, seed: 11 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(0x02, 0x03, 0x01),
      (tail, kind) => {
        readCiphertext(Uint8Array.from([kind, 0x44, ...tail]));
      },
    ),
    { numRuns: 3000, seed: 12 },
  );
});

describe("a message is refused", () => {
  const whole = encodeSignalMessage(
    {
      ratchetKey: new Uint8Array(33).fill(5),
      counter: 0,
      previousCounter: 0,
      ciphertext: new Uint8Array(16),
      pqRatchet: undefined,
      addresses: undefined,
    },
    mac,
  );
  const fields = [...whole.subarray(1, -8)];
  const decode = (version: number, ...body: number[]) =>
    decodeSignalMessage(Uint8Array.from([version, ...body, ...new Uint8Array(8)]));

  test("unless it is plain (the control)", () => {
    expect(decode(0x44, ...fields).counter).toBe(0);
  });

  test.each([
    ["of version 3", () => decode(0x34, ...fields)],
    ["that says a newer version", () => decode(0x54, ...fields)],
    ["with a field twice", () => decode(0x44, ...fields, 0x10, 1)],
    ["with a field that is not known", () => decode(0x44, ...fields, 0x38, 1)],
    ["with a group", () => decode(0x44, ...fields, 0x33, 0x34)],
    ["with a fixed-width field", () => decode(0x44, ...fields, 0x3d, 0, 0, 0, 0)],
    ["with an over-long number", () => decode(0x44, 0x10, 0x80, 0x00, ...fields)],
    ["with a number above 32 bits", () => decode(0x44, 0x10, 0xff, 0xff, 0xff, 0xff, 0x1f)],
    ["with a number that does not end", () => decode(0x44, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 1)],
    ["with a length behind its end", () => decode(0x44, ...fields, 0x2a, 0x7f)],
    ["without its ratchet key", () => decode(0x44, ...fields.slice(35))],
    ["with addresses of another length", () => decode(0x44, ...fields, 0x32, 1, 0)],
    ["that is cut off", () => decodeSignalMessage(whole.subarray(0, 8))],
    ["that is empty", () => decodePrekeySignalMessage(new Uint8Array(0))],
  ])("%s", (_, attempt) => {
    expect(attempt).toThrow(CryptoError);
  });
});
