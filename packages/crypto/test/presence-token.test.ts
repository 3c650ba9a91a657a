import { hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { presenceToken } from "../src/index.ts";

test("a presence token is HKDF-SHA256 of its key under the label, without a salt", () => {
  const key = new Uint8Array(32).fill(7);
  const expected = hkdfSync("sha256", key, new Uint8Array(), "Parley presence token v1", 32);
  expect(presenceToken(key)).toEqual(new Uint8Array(expected));
});
