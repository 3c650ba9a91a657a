import { expect, test } from "vitest";
import type { RateLimiter } from "../../src/ports/rate-limiter.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

/** What every RateLimiter promises, where `durableSendsPerMinute` is 3. */
export function rateLimiterContract(open: (clock: ManualClock) => Promise<RateLimiter>): void {
  test("gives a whole window's number at once, and then as time passes", async () => {
    const clock = new ManualClock();
    const limiter = await open(clock);
    for (let i = 0; i < 3; i++) expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(20_000);
    await clock.pass(19_999);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(1);
    await clock.pass(1);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(20_000);
    await clock.pass(60 * 60_000);
    for (let i = 0; i < 3; i++) expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(20_000);
  });

  test("keeps keys and limits apart", async () => {
    const limiter = await open(new ManualClock());
    for (let i = 0; i < 4; i++) await limiter.take("durableSendsPerMinute", "a");
    expect(await limiter.take("durableSendsPerMinute", "b")).toBe(0);
    expect(await limiter.take("loginsPerMinute", "a")).toBe(0);
  });

  test("looks without taking", async () => {
    const limiter = await open(new ManualClock());
    for (let i = 0; i < 9; i++) expect(await limiter.look("durableSendsPerMinute", "a")).toBe(0);
    for (let i = 0; i < 3; i++) expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
    expect(await limiter.look("durableSendsPerMinute", "a")).toBe(20_000);
  });

  test("gives nothing for a clock that is set back, and takes nothing away", async () => {
    const clock = new ManualClock();
    const limiter = await open(clock);
    for (let i = 0; i < 2; i++) await limiter.take("durableSendsPerMinute", "a");
    clock.jump(-60 * 60_000);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(20_000);
    await clock.pass(20_000);
    expect(await limiter.take("durableSendsPerMinute", "a")).toBe(0);
  });
}
