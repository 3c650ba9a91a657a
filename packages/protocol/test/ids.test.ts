import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes, equalBytes, fromHex, toHex, toUuid, utf8Length } from "../src/index.ts";

test("hex goes there and back", () =>
  fc.assert(fc.property(fc.uint8Array(), (bytes) => equalBytes(fromHex(toHex(bytes)), bytes))));

test.each(["0", "0g", "AB", " 0", "+1", "0x"])("%j is no hex", (text) => {
  expect(() => fromHex(text)).toThrow(RangeError);
});

test("bytes are equal only where all are", () => {
  expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true);
  expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 3]))).toBe(false);
  expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2, 0]))).toBe(false);
});

test("parts are joined in order", () => {
  expect(concatBytes(new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3]))).toEqual(
    new Uint8Array([1, 2, 3]),
  );
});

test("an id is written as a UUID", () => {
  expect(toUuid(fromHex("00112233445566778899aabbccddeeff"))).toBe(
    "00112233-4455-6677-8899-aabbccddeeff",
  );
  expect(() => toUuid(new Uint8Array(15))).toThrow(RangeError);
});

test("the length of a text in UTF-8 is what an encoder makes of it", () =>
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => utf8Length(text) === new TextEncoder().encode(text).length,
    ),
  ));
