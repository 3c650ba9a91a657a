import fc from "fast-check";
import { expect, test } from "vitest";
import { neutralise, neutraliseLine, toSafeJson } from "../../src/terminal/neutralise.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202d\u202e]/;

test("nothing that a terminal obeys is left of any text", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(neutralise(text)).not.toMatch(OBEYED);
      expect(neutraliseLine(text)).not.toMatch(/[\n\t]/);
    }),
  ));

test("an escape sequence is shown in place of being obeyed", () => {
  expect(neutralise("\x1b]0;owned\x07\x1b[2J")).toBe("␛]0;owned␇␛[2J");
  expect(neutralise("\x9b31m\x7f")).toBe("\ufffd31m␡");
  expect(neutralise("amount: \u202e0001")).toBe("amount: \ufffd0001");
});

test("line breaks of every kind break lines, and a lone carriage return overwrites nothing", () => {
  expect(neutralise("a\r\nb\rc\u2028d\u0085e")).toBe("a\nb\nc\nd\ne");
});

test("right-to-left text, its marks, joiners and combining marks are untouched", () => {
  for (const text of [
    "שָׁלוֹם \u200f(עולם)\u200e!",
    "مرحبا \u2067بالعالم\u2069",
    "👩‍👩‍👧‍👦",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "نمی‌خواهم",
  ])
    expect(neutralise(text)).toBe(text);
});

test("JSON for programs means the same and is safe where it is looked at", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = toSafeJson({ text });
      expect(JSON.parse(line)).toEqual({ text });
      expect(line).not.toMatch(OBEYED);
      expect(line).not.toContain("\n");
    }),
  ));
