import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import type { RateLimiter } from "../../src/ports/rate-limiter.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

/** What every RateLimiter promises, where `send` is 3 a minute. */
export function rateLimiterContract(open: (clock: ManualClock) => Promise<RateLimiter>): void {
  test("gives a minute's budget at once, and then as time passes", async () => {
    const clock = new ManualClock();
    const limiter = await open(clock);
    for (let i = 0; i < 3; i++) await limiter.spend("send", "alice");
    await expect(limiter.spend("send", "alice")).rejects.toMatchObject({
      code: ErrorCode.RATE_LIMITED,
      retryAfterMs: 20_000,
    });
    await clock.pass(20_000);
    await limiter.spend("send", "alice");
    await expect(limiter.spend("send", "alice")).rejects.toThrow();
  });

  test("keeps keys and budgets apart", async () => {
    const limiter = await open(new ManualClock());
    for (let i = 0; i < 3; i++) await limiter.spend("send", "alice");
    await limiter.spend("send", "bob");
    await limiter.spend("login", "alice");
  });
}
