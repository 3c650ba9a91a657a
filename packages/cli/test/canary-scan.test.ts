import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { needlesOf, scan } from "./fixtures/canary-scan.ts";

const TEXT = 'tin "canary" ünd\nпташка 🐤 17';

/** Each as another program would write it, in the middle of other things. */
const WRITTEN: Record<string, (text: string, before: string) => Buffer> = {
  raw: (text, before) => Buffer.from(`${before}${text}after`),
  "UTF-16LE": (text, before) => Buffer.from(`${before}${text}after`, "utf16le"),
  hex: (text, before) => Buffer.from(Buffer.from(`${before}${text}after`).toString("hex")),
  HEX: (text, before) =>
    Buffer.from(Buffer.from(`${before}${text}after`).toString("hex").toUpperCase()),
  base64: (text, before) => Buffer.from(Buffer.from(`${before}${text}after`).toString("base64")),
  base64url: (text, before) =>
    Buffer.from(Buffer.from(`${before}${text}after`).toString("base64url")),
  URL: (text, before) => Buffer.from(new URLSearchParams({ q: before + text }).toString()),
  JSON: (text, before) => Buffer.from(JSON.stringify({ log: `${before}${text}after` })),
};

for (const [encoding, write] of Object.entries(WRITTEN))
  for (const before of ["", "a", "ab", "abc"])
    test(`finds a text written as ${encoding} behind ${before.length} bytes`, () => {
      // A form's spaces are plus signs, which is another encoding than the one of addresses.
      const text = encoding === "URL" ? TEXT.replaceAll(" ", "-") : TEXT;
      const haystack = { place: "here", bytes: write(text, before) };
      expect(scan([haystack], [{ name: "text", secret: text }])).not.toEqual([]);
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
