import type { Clock } from "../../ports/clock.ts";
import { RATE_LIMITS, type RateLimit, type RateLimiter } from "../../ports/rate-limiter.ts";

/** A key is about 130 bytes here, so the keys of one limit are at most 9 MB, however many there are outside. */
const GENERATION_KEYS_MAX = 32_768;

/** For one process, and it counts at once. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #clock: Clock;
  #originMs: number;
  #lastMs: number;
  readonly #buckets: Readonly<Record<RateLimit, Buckets>>;

  constructor(clock: Clock, most: Readonly<Record<RateLimit, number>>) {
    this.#clock = clock;
    this.#originMs = clock.now();
    this.#lastMs = this.#originMs;
    const names = Object.keys(RATE_LIMITS) as RateLimit[];
    this.#buckets = Object.fromEntries(
      names.map((name) => [name, new Buckets(RATE_LIMITS[name], most[name])]),
    ) as Record<RateLimit, Buckets>;
  }

  take(limit: RateLimit, key: string): number {
    return this.#buckets[limit].take(key, this.#now());
  }

  look(limit: RateLimit, key: string): number {
    return this.#buckets[limit].look(key, this.#now());
  }

  /**
   * Small, so that a fraction of a millisecond is not lost beside it. A clock that was set back gives nothing,
   * and takes nothing away.
   */
  #now(): number {
    const wallMs = this.#clock.now();
    if (wallMs < this.#lastMs) this.#originMs -= this.#lastMs - wallMs;
    this.#lastMs = wallMs;
    return wallMs - this.#originMs;
  }
}

interface Bucket {
  /** The one number that says how full it is (the generic cell rate algorithm, ITU-T I.371). */
  fullAtMs: number;
}

/**
 * The buckets of one limit, in two generations: one that was not touched for a whole window is full again,
 * says nothing, and goes with its generation. So nothing is ever searched, and no timer runs.
 */
class Buckets {
  readonly #windowMs: number;
  readonly #stepMs: number;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();
  #turnedAtMs = 0;

  constructor(windowMs: number, most: number) {
    this.#windowMs = windowMs;
    this.#stepMs = windowMs / most;
  }

  take(key: string, now: number): number {
    const bucket = this.#young.get(key) ?? this.#bring(key, now);
    const fullAtMs = Math.max(bucket.fullAtMs, now);
    const waitMs = this.#waitMs(fullAtMs, now);
    if (waitMs === 0) bucket.fullAtMs = fullAtMs + this.#stepMs;
    return waitMs;
  }

  look(key: string, now: number): number {
    const bucket = this.#young.get(key) ?? this.#old.get(key);
    return this.#waitMs(Math.max(bucket?.fullAtMs ?? now, now), now);
  }

  #waitMs(fullAtMs: number, now: number): number {
    if (this.#stepMs === Number.POSITIVE_INFINITY) return this.#windowMs; // The limit is 0: never.
    const missingMs = fullAtMs + this.#stepMs - now - this.#windowMs;
    // The sum of many steps is not exact.
    return missingMs <= this.#stepMs * 1e-6 ? 0 : Math.ceil(missingMs);
  }

  #bring(key: string, now: number): Bucket {
    const isOver = now - this.#turnedAtMs >= this.#windowMs;
    if (isOver || this.#young.size >= GENERATION_KEYS_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#turnedAtMs = now;
    }
    const bucket = this.#old.get(key) ?? { fullAtMs: now };
    this.#young.set(key, bucket);
    return bucket;
  }
}
