import type { Clock } from "../ports/clock.ts";
import type { Sending } from "./lane.ts";

/** Sends that wait for their time: what is offered again is spread, so that a server is not run over. */
export class HeldBack {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(sending: Sending, ms: number, wake: () => void): void {
    sending.isHeldBack = true;
    const cancel = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel);
      sending.isHeldBack = false;
      wake();
    });
    this.#cancels.add(cancel);
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
  }
}
