import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { RateLimit, RateLimiter } from "../ports/rate-limiter.ts";

export interface LimitsParts {
  readonly rateLimiter: RateLimiter;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What is over a limit is counted and named, and refused by nobody. */
  readonly isDryRun: boolean;
}

/** A flood is one line in this time for each limit, with how many it stands for. */
const LINE_EVERY_MS = 60_000;

/** Says no: counts it, writes of it, and, unless this is a dry run, refuses. */
export class Limits {
  readonly #parts: LimitsParts;
  readonly #unwritten = new Map<string, number>();

  constructor(parts: LimitsParts) {
    this.#parts = parts;
    if (parts.isDryRun) parts.log.warn({}, "limits-dry-run");
  }

  /**
   * Takes one of the key's budget, or throws RATE_LIMITED with how long to wait. At once where nothing is
   * returned: on the way of a message a promise would cost more than the counting.
   */
  spend(limit: RateLimit, key: string): Promise<void> | undefined {
    return this.#refuseAfter(limit, this.#parts.rateLimiter.take(limit, key));
  }

  /** Throws as `spend` would, and takes nothing: for what counts only once it has gone wrong. */
  require(limit: RateLimit, key: string): Promise<void> | undefined {
    return this.#refuseAfter(limit, this.#parts.rateLimiter.look(limit, key));
  }

  /** Something has gone wrong, and counts from now on. */
  async note(limit: RateLimit, key: string): Promise<void> {
    await this.#parts.rateLimiter.take(limit, key);
  }

  /** Takes one where there is one, and throws nothing. False: there was none. */
  async has(limit: RateLimit, key: string): Promise<boolean> {
    const waitMs = await this.#parts.rateLimiter.take(limit, key);
    return waitMs === 0 || !this.refuses(limit);
  }

  /** Something is over a limit. False: this is a dry run, and it is to be let through. */
  refuses(limit: string): boolean {
    const { isDryRun, metrics } = this.#parts;
    metrics.refused(limit, isDryRun);
    this.#write(limit, isDryRun);
    return !isDryRun;
  }

  /** A limit that protects the server's memory has refused something, dry run or not. */
  refused(limit: string): void {
    this.#parts.metrics.refused(limit, false);
    this.#write(limit, false);
  }

  #refuseAfter(limit: RateLimit, wait: number | Promise<number>): Promise<void> | undefined {
    if (wait === 0) return undefined;
    if (typeof wait !== "number") return wait.then((waitMs) => this.#refuseFor(limit, waitMs));
    this.#refuseFor(limit, wait);
    return undefined;
  }

  #refuseFor(limit: RateLimit, retryAfterMs: number): void {
    if (retryAfterMs > 0 && this.refuses(limit))
      throw new ProtocolError(ErrorCode.RATE_LIMITED, `${limit} is used up`, { retryAfterMs });
  }

  /** The first at once; then what has come together. */
  #write(limit: string, isDryRun: boolean): void {
    const unwritten = this.#unwritten.get(limit);
    if (unwritten !== undefined) {
      this.#unwritten.set(limit, unwritten + 1);
      return;
    }
    this.#writeLine({ limit, count: 1, isDryRun });
  }

  #writeLine(line: { limit: string; count: number; isDryRun: boolean }): void {
    const { clock, log } = this.#parts;
    const { limit } = line;
    log.info(line, "refused");
    this.#unwritten.set(limit, 0);
    clock.after(LINE_EVERY_MS, () => {
      const more = this.#unwritten.get(limit) ?? 0;
      this.#unwritten.delete(limit);
      if (more > 0) this.#writeLine({ ...line, count: more });
    });
  }
}
