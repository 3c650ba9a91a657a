import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Clock } from "../../ports/clock.ts";
import type { Budget, RateLimiter } from "../../ports/rate-limiter.ts";

export type PerMinute = Readonly<Record<Budget, number>>;

interface Bucket {
  tokens: number;
  atMs: number;
}

const MINUTE_MS = 60_000;
/** Above it, buckets that are full again are thrown away: they say nothing. */
const BUCKETS_MAX = 50_000;

/** Token buckets that hold one minute's budget, for one process. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #clock: Clock;
  readonly #perMinute: PerMinute;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perMinute: PerMinute) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  async spend(budget: Budget, key: string): Promise<void> {
    const most = this.#perMinute[budget];
    const now = this.#clock.now();
    const name = `${budget} ${key}`;
    const bucket = this.#buckets.get(name) ?? { tokens: most, atMs: now };
    // A clock that was set back gives nothing, and takes nothing away.
    const elapsedMs = Math.max(0, now - bucket.atMs);
    const tokens = Math.min(most, bucket.tokens + (elapsedMs * most) / MINUTE_MS);
    if (tokens < 1)
      throw new ProtocolError(ErrorCode.RATE_LIMITED, `the budget for ${budget} is used up`, {
        retryAfterMs: Math.ceil(((1 - tokens) * MINUTE_MS) / most),
      });
    if (this.#buckets.size >= BUCKETS_MAX) this.#dropFull(now);
    this.#buckets.set(name, { tokens: tokens - 1, atMs: now });
  }

  #dropFull(now: number): void {
    for (const [name, { atMs }] of this.#buckets)
      if (now - atMs >= MINUTE_MS) this.#buckets.delete(name);
  }
}
