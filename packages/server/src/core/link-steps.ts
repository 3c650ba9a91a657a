import { ErrorCode, equalBytes, ProtocolError } from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";

/** A code that is shown is scanned within this time, or shown anew (trust.md 3). */
const LIFETIME_MS = 10 * 60 * 1000;
/** 8 steps of 64 KiB each at most: a bound on memory before login. */
const ADDRESSES_MAX = 64;

interface Place {
  readonly steps: Map<number, Uint8Array>;
  readonly waiting: Map<number, Set<(payload: Uint8Array) => void>>;
}

/** Where two devices that link leave each other sealed steps, at a random address. In memory only. */
export class LinkSteps {
  readonly #clock: Clock;
  readonly #places = new Map<string, Place>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Each step is written once; the same bytes again change nothing. */
  put(address: string, step: number, payload: Uint8Array): void {
    const place = this.#placeAt(address);
    const there = place.steps.get(step);
    if (there !== undefined) {
      if (equalBytes(there, payload)) return;
      throw new ProtocolError(ErrorCode.NOT_ALLOWED, "this step is written already");
    }
    const kept = Uint8Array.from(payload);
    place.steps.set(step, kept);
    for (const take of place.waiting.get(step) ?? []) take(kept);
    place.waiting.delete(step);
  }

  /** Undefined where it does not come in time. Whoever asks in vain leaves nothing behind. */
  take(address: string, step: number, waitMs: number): Promise<Uint8Array | undefined> {
    const there = this.#places.get(address)?.steps.get(step);
    if (there !== undefined || waitMs === 0) return Promise.resolve(there);
    const place = this.#placeAt(address);
    return new Promise((resolve) => {
      const waiting = place.waiting.get(step) ?? new Set();
      place.waiting.set(step, waiting);
      const cancel = this.#clock.after(waitMs, () => {
        waiting.delete(take);
        if (waiting.size === 0) place.waiting.delete(step);
        this.#dropIfEmpty(address, place);
        resolve(undefined);
      });
      const take = (payload: Uint8Array) => {
        cancel();
        resolve(payload);
      };
      waiting.add(take);
    });
  }

  #placeAt(address: string): Place {
    const found = this.#places.get(address);
    if (found !== undefined) return found;
    if (this.#places.size >= ADDRESSES_MAX)
      throw new ProtocolError(ErrorCode.BUSY, "too many devices are being linked");
    const place: Place = { steps: new Map(), waiting: new Map() };
    this.#places.set(address, place);
    this.#clock.after(LIFETIME_MS, () => this.#drop(address, place));
    return place;
  }

  #dropIfEmpty(address: string, place: Place): void {
    if (place.steps.size === 0 && place.waiting.size === 0) this.#drop(address, place);
  }

  /** Another may stand at its address by now. */
  #drop(address: string, place: Place): void {
    if (this.#places.get(address) === place) this.#places.delete(address);
  }
}
