import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CryptoError } from "../src/index.ts";
import { checkX25519PublicKey, edwardsOf, montgomeryOf } from "../src/primitives/curve25519.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The answer, or that it refused. */
function outcome(step: () => Uint8Array): Uint8Array | "refused" {
  try {
    return step();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return "refused";
  }
}

test("the Montgomery form of a key is the one that noble computes", () =>
  fc.assert(
    fc.property(bytes32, (seed) => {
      const publicKey = ed25519.getPublicKey(seed);
      expect(montgomeryOf(publicKey)).toEqual(ed25519.utils.toMontgomery(publicKey));
    }),
    { numRuns: 100 },
  ));

test("of all strings, those are taken that noble takes as a point", () =>
  fc.assert(
    fc.property(bytes32, (bytes) => {
      const ours = outcome(() => montgomeryOf(bytes));
      expect(ours).toEqual(outcome(() => ed25519.utils.toMontgomery(bytes)));
      if (ours === "refused") expect(() => montgomeryOf(bytes)).toThrow(CryptoError);
    }),
    { numRuns: 200 },
  ));

test("the Edwards form of a Montgomery key leads back to it, under either sign", () =>
  fc.assert(
    fc.property(bytes32, (seed) => {
      const publicKey = ed25519.getPublicKey(seed);
      const u = montgomeryOf(publicKey);
      expect(edwardsOf(u, publicKey[31] as number)).toEqual(publicKey);
      const other = edwardsOf(u, (publicKey[31] as number) ^ 0x80);
      expect(montgomeryOf(other)).toEqual(u);
    }),
    { numRuns: 50 },
  ));

test("every X25519 key that is taken has an Edwards form", () =>
  fc.assert(
    fc.property(bytes32, (bytes) => {
      const taken = outcome(() => {
        checkX25519PublicKey(bytes);
        return bytes;
      });
      if (taken !== "refused") expect(edwardsOf(bytes, 0)).toHaveLength(32);
    }),
  ));
