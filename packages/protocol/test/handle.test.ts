import { expect, test } from "vitest";
import { parseHandle } from "../src/index.ts";

test.each(["abc", "a.b", "a_b.c", "0ne", "x".repeat(32)])("%s is a handle", (typed) => {
  expect(parseHandle(typed)).toBe(typed);
});

test("capitals of ASCII are folded, and of nothing else", () => {
  expect(parseHandle("Alice.B")).toBe("alice.b");
  expect(parseHandle("\u212Aelvin")).toBeUndefined(); // KELVIN SIGN folds to k in Unicode
  expect(parseHandle("ALİCE")).toBeUndefined();
});

test.each([
  "",
  "ab",
  "x".repeat(33),
  ".abc",
  "abc.",
  "_abc",
  "a..b",
  "a._b",
  "a b",
  "a-b",
  "älf",
  "abc\n",
  "abc\u0000",
])("%j is refused", (typed) => {
  expect(parseHandle(typed)).toBeUndefined();
});
