/**
 * The server's clock, as estimated from welcome. What is told with it must rise (trust.md 5), so two answers are
 * never the same.
 */
export class ServerTime {
  #aheadMs: number | undefined;
  #last = 0;

  welcomed(serverTimeMs: bigint, nowMs: number): void {
    this.#aheadMs = Number(serverTimeMs) - nowMs;
  }

  /** Undefined before the first welcome. */
  next(nowMs: number): number | undefined {
    if (this.#aheadMs === undefined) return undefined;
    this.#last = Math.max(this.#last + 1, nowMs + this.#aheadMs);
    return this.#last;
  }
}
