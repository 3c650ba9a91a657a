import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { concatBytes } from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Operation, runSync } from "../../src/index.ts";
import {
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  splitKeyOf,
  vectorFits,
} from "../../src/primitives/mlkem768-split.ts";
import { nobleProvider } from "../../src/primitives/noble-provider.ts";

const run = <T>(operation: Operation<T>): T => runSync(nobleProvider, operation);
const seed = fc.uint8Array({ minLength: 64, maxLength: 64 });
const randomness = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("the two halves are the ordinary encapsulation, and decapsulate", () =>
  fc.assert(
    fc.property(seed, randomness, (secret, m) => {
      const { header, vector } = run(splitKeyOf(secret));
      const { ciphertext1, sharedSecret } = encapsulateFirst(header, m);
      const ciphertext2 = encapsulateSecond(header, vector, m);
      const whole = ml_kem768.encapsulate(ml_kem768.keygen(secret).publicKey, m);
      expect(concatBytes(ciphertext1, ciphertext2)).toEqual(whole.cipherText);
      expect(sharedSecret).toEqual(whole.sharedSecret);
      expect(run(decapsulate(secret, ciphertext1, ciphertext2))).toEqual(sharedSecret);
    }),
    { numRuns: 20 },
  ));

test("a vector of another key, or with a coefficient that is none, does not fit the header", () =>
  fc.assert(
    fc.property(seed, fc.nat(1151), fc.integer({ min: 1, max: 255 }), (secret, at, change) => {
      const { header, vector } = run(splitKeyOf(secret));
      expect(vectorFits(header, vector)).toBe(true);
      const other = vector.slice();
      other[at] = (other[at] as number) ^ change;
      expect(vectorFits(header, other)).toBe(false);
    }),
    { numRuns: 20 },
  ));

test("a ciphertext for another key gives another secret", () => {
  const [one, other] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
  const m = new Uint8Array(32).fill(3);
  const { header, vector } = run(splitKeyOf(one));
  const { ciphertext1, sharedSecret } = encapsulateFirst(header, m);
  const ciphertext2 = encapsulateSecond(header, vector, m);
  expect(run(decapsulate(other, ciphertext1, ciphertext2))).not.toEqual(sharedSecret);
});
