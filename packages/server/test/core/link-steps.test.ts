import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { LinkSteps } from "../../src/core/link-steps.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

const PAYLOAD = Uint8Array.of(1);
const MINUTE_MS = 60_000;

test("whoever asks at an address where nothing comes takes no place from others", async () => {
  const clock = new ManualClock();
  const steps = new LinkSteps(clock);
  for (let i = 0; i < 1_000; i++) expect(await steps.take(`nobody's ${i}`, 0, 0)).toBeUndefined();
  const waiting = Array.from({ length: 64 }, (_, i) => steps.take(`waited at ${i}`, 0, 1_000));
  expect(() => steps.put("one more", 0, PAYLOAD)).toThrow(
    expect.objectContaining({ code: ErrorCode.BUSY }),
  );
  await clock.pass(1_000);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]));
  steps.put("one more", 0, PAYLOAD);
  expect(await steps.take("one more", 0, 0)).toEqual(PAYLOAD);
});

test("a step that lies there is gone after ten minutes, and not before", async () => {
  const clock = new ManualClock();
  const steps = new LinkSteps(clock);
  const early = steps.take("address", 0, 1_000);
  await clock.pass(1_000);
  expect(await early).toBeUndefined();
  await clock.pass(MINUTE_MS);
  steps.put("address", 0, PAYLOAD);
  await clock.pass(10 * MINUTE_MS - 1);
  expect(await steps.take("address", 0, 0)).toEqual(PAYLOAD);
  await clock.pass(1);
  expect(await steps.take("address", 0, 0)).toBeUndefined();
});
