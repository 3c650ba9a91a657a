import { expect, test } from "vitest";
import { calmLog } from "../../src/core/calm-log.ts";
import type { Log } from "../../src/ports/log.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

function calm() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const write =
    (level: string): Log["info"] =>
    ({ of, count }, event) =>
      lines.push([level, event, of, count].filter((part) => part !== undefined).join(" "));
  const log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
  return { clock, lines, log: calmLog(log, clock) };
}

test("a flood of one event is twenty lines and one that counts the others; other events pass", async () => {
  const { clock, lines, log } = calm();
  for (let index = 0; index < 100_000; index++) log.debug({ code: index }, "request-failed");
  log.info({}, "listening");
  expect(lines).toEqual([...Array(20).fill("debug request-failed"), "info listening"]);
  lines.length = 0;
  await clock.pass(10_000);
  expect(lines).toEqual(["debug lines-left-out request-failed 99980"]);
  log.debug({}, "request-failed");
  expect(lines.at(-1)).toBe("debug request-failed");
});

test("what comes now and then is written each time, and nothing follows it", async () => {
  const { clock, lines, log } = calm();
  for (let index = 0; index < 100; index++) {
    log.warn({}, "push-failed");
    await clock.pass(1_000);
  }
  expect(lines).toEqual(Array(100).fill("warn push-failed"));
});
