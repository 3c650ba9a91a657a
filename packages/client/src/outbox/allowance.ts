import type { Clock } from "../ports/clock.ts";

/** By the client's rule (delivery.md 3); the rest is for receipts and other signals. */
const ENTRIES_SHARE = 1 / 4;
/** Of a server that names no limit. */
const SENDS_PER_MINUTE_DEFAULT = 400;
const MINUTE_MS = 60_000;

/** How much this device may send now: a quarter of the account's budget as entries, and what the server lets through. */
export class Allowance {
  readonly #clock: Clock;
  readonly #inFlightMax: number;
  readonly #wake: () => void;
  /** Entries that may be made, as of then. Undefined before the first welcome: none is made before it. */
  #entries: { left: number; atMs: number } | undefined;
  #entriesPerMinute = SENDS_PER_MINUTE_DEFAULT * ENTRIES_SHARE;
  #cancelWait: (() => void) | undefined;
  #cancelRest: (() => void) | undefined;
  /** One after a refusal, so that one send finds out whether there is room again; more with each that is taken. */
  #window: number;

  constructor(parts: { readonly clock: Clock; readonly inFlightMax: number; wake(): void }) {
    this.#clock = parts.clock;
    this.#inFlightMax = parts.inFlightMax;
    this.#wake = () => parts.wake();
    this.#window = parts.inFlightMax;
  }

  /** What the server says that the account may send. */
  welcomed(sendsPerMinute: number): void {
    const sends = sendsPerMinute > 0 ? sendsPerMinute : SENDS_PER_MINUTE_DEFAULT;
    const perMinute = Math.max(1, Math.floor(sends * ENTRIES_SHARE));
    const left = this.#entries === undefined ? perMinute : Math.min(this.#left(), perMinute);
    this.#entriesPerMinute = perMinute;
    this.#entries = { left, atMs: this.#clock.now() };
  }

  /** At most so many, taken. Where there is none, `wake` is called once there is one again. */
  takeEntries(wanted: number): number {
    const left = this.#left();
    const taken = Math.min(wanted, Math.floor(left));
    this.#entries = { left: left - taken, atMs: this.#clock.now() };
    if (taken === 0 && wanted > 0) this.#waitForEntry(left - taken);
    return taken;
  }

  get mayMakeEntries(): boolean {
    return this.#left() >= 1;
  }

  /** Sends that may be under way at once; none while the server asked to wait. */
  get inFlightMax(): number {
    return this.#cancelRest === undefined ? this.#window : 0;
  }

  /** The account's budget is used up, and has one more send after so long. By a timer, because clocks jump. */
  refused(retryAfterMs: number): void {
    this.#window = 1;
    this.#cancelRest ??= this.#clock.after(retryAfterMs, () => {
      this.#cancelRest = undefined;
      this.#wake();
    });
  }

  accepted(): void {
    this.#window = Math.min(this.#window + 1, this.#inFlightMax);
  }

  close(): void {
    this.#cancelWait?.();
    this.#cancelRest?.();
  }

  /** A clock that was set back gives nothing. */
  #left(): number {
    if (this.#entries === undefined) return 0;
    const { left, atMs } = this.#entries;
    const passedMs = Math.max(0, this.#clock.now() - atMs);
    const grown = left + (passedMs * this.#entriesPerMinute) / MINUTE_MS;
    return Math.min(grown, this.#entriesPerMinute);
  }

  #waitForEntry(left: number): void {
    const waitMs = Math.ceil(((1 - left) * MINUTE_MS) / this.#entriesPerMinute);
    this.#cancelWait ??= this.#clock.after(waitMs, () => {
      this.#cancelWait = undefined;
      this.#wake();
    });
  }
}
