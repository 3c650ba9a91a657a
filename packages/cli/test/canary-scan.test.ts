import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { needlesOf, scan } from "./fixtures/canary-scan.ts";
import { TEXT_WRITTEN_AS, WRITTEN_AS } from "./fixtures/written.ts";

const TEXT = 'tin "canary" ünd\nпташка 🐤 17';

for (const [encoding, write] of Object.entries({ ...WRITTEN_AS, ...TEXT_WRITTEN_AS }))
  for (const before of ["", "a", "ab", "abc"])
    test(`finds a text written as ${encoding} behind ${before.length} bytes`, () => {
      const haystack = { place: "here", bytes: write(TEXT, before) };
      expect(scan([haystack], [{ name: "text", secret: TEXT }])).not.toEqual([]);
    });

test("finds nothing where nothing is", () => {
  const haystack = { place: "here", bytes: Buffer.from(TEXT.slice(1)) };
  expect(scan([haystack], [{ name: "text", secret: TEXT }])).toEqual([]);
});

test("has a needle for every encoding of a text, none of them so short that chance finds it", () => {
  const needles = needlesOf("a canary of some length");
  expect(needles.size).toBe(14);
  for (const needle of needles.values()) expect(needle.length).toBeGreaterThanOrEqual(20);
});
