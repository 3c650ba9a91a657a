import type { Finding, HealthCheck } from "../../ports/health-check.ts";

const TICK_MS = 250;
/** As far back as a probe every ten seconds asks. */
const WINDOW_TICKS = 40;
/** A person waits this long once, not always; and probes give up after about as long. */
export const LAG_MS_MAX = 1_000;

/** How late the event loop comes to what is due. */
export class EventLoopCheck implements HealthCheck {
  readonly name = "event_loop";
  readonly #lags: number[] = [];
  readonly #ticking: NodeJS.Timeout;

  constructor() {
    let due = performance.now() + TICK_MS;
    this.#ticking = setInterval(() => {
      const now = performance.now();
      this.late(Math.max(0, now - due));
      due = now + TICK_MS;
    }, TICK_MS);
    this.#ticking.unref();
  }

  /** Something came that much later than it was due. */
  late(ms: number): void {
    this.#lags.push(ms);
    if (this.#lags.length > WINDOW_TICKS) this.#lags.shift();
  }

  look(): Finding {
    // The median: one long turn, such as a large checkpoint, is no reason to send people away.
    const middle = Math.floor(this.#lags.length / 2);
    const lagMs = this.#lags.toSorted((a, b) => a - b)[middle] ?? 0;
    return { isOk: lagMs <= LAG_MS_MAX, detail: `lag ${Math.round(lagMs)} ms` };
  }

  stop(): void {
    clearInterval(this.#ticking);
  }
}
