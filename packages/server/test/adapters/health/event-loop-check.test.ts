import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { EventLoopCheck, LAG_MS_MAX } from "../../../src/adapters/health/event-loop-check.ts";

function watching(): EventLoopCheck {
  const check = new EventLoopCheck();
  onTestFinished(() => check.stop());
  return check;
}

test("a loop that is late more often than not is not ready, and one long turn is no reason", () => {
  const check = watching();
  expect(check.look()).toEqual({ isOk: true, detail: "lag 0 ms" });
  for (const ms of [0, 1, 60_000, 0, 1]) check.late(ms);
  expect(check.look()).toEqual({ isOk: true, detail: "lag 1 ms" });
  for (let turn = 0; turn < 6; turn++) check.late(LAG_MS_MAX + 300);
  expect(check.look()).toEqual({ isOk: false, detail: "lag 1300 ms" });
});

test("what is long past does not count", () => {
  const check = watching();
  for (let turn = 0; turn < 40; turn++) check.late(5_000);
  for (let turn = 0; turn < 25; turn++) check.late(2);
  expect(check.look()).toEqual({ isOk: true, detail: "lag 2 ms" });
});

test("a turn that takes long is seen", async () => {
  const check = watching();
  const until = performance.now() + 550;
  while (performance.now() < until);
  await pause(0);
  await pause(0);
  expect(Number(/\d+/.exec(check.look().detail)?.[0])).toBeGreaterThan(200);
});
