import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { MemoryRateLimiter } from "../../src/adapters/embedded/memory-rate-limiter.ts";
import { Limits } from "../../src/core/limits.ts";
import type { Log, LogFields } from "../../src/ports/log.ts";
import { NO_METRICS } from "../../src/ports/metrics.ts";
import { RATE_LIMITS, type RateLimit } from "../../src/ports/rate-limiter.ts";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

function limits({ most = 2, isDryRun = false } = {}) {
  const clock = new ManualClock();
  const counted: unknown[] = [];
  const lines: (LogFields & { event: string })[] = [];
  const write = (fields: LogFields, event: string) => void lines.push({ ...fields, event });
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const metrics = { ...NO_METRICS, refused: (...values: unknown[]) => void counted.push(values) };
  const settings = { ...SETTINGS_DEFAULT.limits, durableSendsPerMinute: most };
  const rateLimiter = new MemoryRateLimiter(clock, settings);
  const made = new Limits({ rateLimiter, clock, log, metrics, isDryRun });
  const spend = () => made.spend("durableSendsPerMinute", "alice");
  return { clock, counted, lines, made, spend, rateLimiter };
}

test("refuses with the time after which asking again is of use", async () => {
  const { clock, counted, spend } = limits();
  expect([spend(), spend()]).toEqual([undefined, undefined]);
  const refusal = { code: ErrorCode.RATE_LIMITED, retryAfterMs: 30_000 };
  expect(spend).toThrow(expect.objectContaining(refusal));
  expect(counted).toEqual([["durableSendsPerMinute", false]]);
  await clock.pass(30_000);
  await spend();
  expect(spend).toThrow();
});

test("waits for counters that are somewhere else, and refuses in the same way", async () => {
  const { clock, counted, lines } = limits();
  lines.length = 0;
  const log = { debug: () => undefined, info: () => undefined } as unknown as Log;
  const far = { take: async () => 500, look: async () => 0 };
  const metrics = { ...NO_METRICS, refused: (...values: unknown[]) => void counted.push(values) };
  const made = new Limits({ rateLimiter: far, clock, log, metrics, isDryRun: false });
  await expect(made.spend("loginsPerMinute", "alice")).rejects.toMatchObject({ retryAfterMs: 500 });
  await made.require("loginsPerMinute", "alice");
  expect(counted).toEqual([["loginsPerMinute", false]]);
});

test("counts and logs in a dry run, and refuses nothing", async () => {
  const { counted, lines, made, spend } = limits({ isDryRun: true });
  for (let i = 0; i < 5; i++) await spend();
  expect(await made.has("durableSendsPerMinute", "alice")).toBe(true);
  expect(made.refuses("connectionsPerAccountMax")).toBe(false);
  expect(counted).toHaveLength(5);
  expect(counted[0]).toEqual(["durableSendsPerMinute", true]);
  expect(lines.map(({ event }) => event)).toEqual(["limits-dry-run", "refused", "refused"]);
});

test("writes one line a minute for each limit, however much it refuses", async () => {
  const { clock, lines, spend } = limits({ most: 0 });
  for (let i = 0; i < 100; i++) expect(spend).toThrow();
  const line = { event: "refused", limit: "durableSendsPerMinute", isDryRun: false };
  expect(lines).toEqual([{ ...line, count: 1 }]);
  await clock.pass(60_000);
  expect(lines.slice(1)).toEqual([{ ...line, count: 99 }]);
  await clock.pass(120_000);
  expect(spend).toThrow();
  expect(lines.slice(2)).toEqual([{ ...line, count: 1 }]);
});

test("says what would be refused without counting it, and counts what has gone wrong", async () => {
  const { made, counted } = limits();
  for (let i = 0; i < 2; i++) {
    await made.require("durableSendsPerMinute", "alice");
    await made.note("durableSendsPerMinute", "alice");
  }
  expect(counted).toEqual([]);
  expect(() => made.require("durableSendsPerMinute", "alice")).toThrow();
});

test("forgets keys before they fill the memory, and none that was used a moment ago", () => {
  const { rateLimiter } = limits();
  for (let i = 0; i < 200_000; i++) {
    rateLimiter.take("durableSendsPerMinute", `somebody ${i}`);
    if (i % 1_000 === 0) rateLimiter.take("durableSendsPerMinute", "busy");
  }
  expect(rateLimiter.look("durableSendsPerMinute", "busy")).toBeGreaterThan(0);
});

test("knows a number for every limit, and every number's limit", () => {
  const { dryRun: _, ...numbers } = SETTINGS_DEFAULT.limits;
  expect(Object.keys(numbers).sort()).toEqual(Object.keys(RATE_LIMITS).sort());
  for (const [name, windowMs] of Object.entries(RATE_LIMITS) as [RateLimit, number][])
    expect(name.endsWith(windowMs === 60_000 ? "PerMinute" : "PerHour")).toBe(true);
});
