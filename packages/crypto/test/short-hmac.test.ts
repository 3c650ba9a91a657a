import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CryptoError } from "../src/index.ts";
import {
  isShort,
  SHORT_BYTES_MAX,
  SHORT_KEY_BYTES_MAX,
  ShortHmac,
  shortHkdf,
} from "../src/primitives/short-hmac.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

test("a short HMAC is HMAC-SHA256, whatever was digested before", () =>
  fc.assert(
    fc.property(
      bytes(SHORT_KEY_BYTES_MAX),
      fc.array(bytes(SHORT_BYTES_MAX), { minLength: 1, maxLength: 4 }),
      (key, messages) => {
        const keyed = new ShortHmac(key);
        for (const message of messages)
          expect(keyed.digest(message)).toEqual(hmac(sha256, key, message));
      },
    ),
    { numRuns: 500, seed: 1 },
  ));

test("every length of key and message is digested alike", () => {
  for (let length = 0; length <= SHORT_BYTES_MAX; length++) {
    const message = new Uint8Array(length).fill(length);
    const key = new Uint8Array(Math.min(length, SHORT_KEY_BYTES_MAX)).fill(7);
    expect(new ShortHmac(key).digest(message)).toEqual(hmac(sha256, key, message));
  }
});

test("a short HKDF is HKDF-SHA256", () =>
  fc.assert(
    fc.property(
      fc.option(bytes(SHORT_KEY_BYTES_MAX), { nil: undefined }),
      bytes(SHORT_BYTES_MAX),
      bytes(86),
      fc.integer({ min: 1, max: 200 }),
      (salt, ikm, info, length) => {
        expect(isShort({ salt, ikm, info, length })).toBe(true);
        expect(shortHkdf({ salt, ikm, info, length })).toEqual(
          hkdf(sha256, ikm, salt, info, length),
        );
      },
    ),
    { numRuns: 500, seed: 2 },
  ));

test("what is not short is refused, and left to others", () => {
  expect(() => new ShortHmac(new Uint8Array(SHORT_KEY_BYTES_MAX + 1))).toThrow(CryptoError);
  const keyed = new ShortHmac(new Uint8Array(32));
  expect(() => keyed.digest(new Uint8Array(SHORT_BYTES_MAX + 1))).toThrow(CryptoError);
  const [ikm, info] = [new Uint8Array(32), new Uint8Array(0)];
  for (const long of [
    { salt: new Uint8Array(SHORT_KEY_BYTES_MAX + 1), ikm, info },
    { ikm: new Uint8Array(SHORT_BYTES_MAX + 1), info },
    { ikm, info: new Uint8Array(87) },
  ])
    expect(isShort({ ...long, length: 32 })).toBe(false);
});
