import { expect, test } from "vitest";
import { AddressKeys } from "../../src/core/address-keys.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

const HOUR_MS = 60 * 60 * 1000;

test("an address has one name for a day at most", async () => {
  const clock = new ManualClock();
  const keys = new AddressKeys(clock, randomBytes);
  const first = keys.keyOf("192.0.2.1");
  await clock.pass(23 * HOUR_MS);
  expect(keys.keyOf("192.0.2.1")).toBe(first);
  expect(keys.keyOf("192.0.2.2")).not.toBe(first);
  await clock.pass(HOUR_MS);
  expect(keys.keyOf("192.0.2.1")).not.toBe(first);
});
