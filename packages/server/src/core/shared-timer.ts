import type { Clock } from "../ports/clock.ts";

/** Something is due at most this part of the delay early: what began within it shares a timer. */
const ROUNDS = 16;
/** Ten thousand that are due at once must not hold up everything else. */
const AT_A_TIME = 64;

export interface Timed {
  /** Where it waits; the timer's own. */
  round: Set<Timed> | undefined;
  /** The time is over. */
  due(): void;
}

/** For whatever there are very many of, each of which waits equally long: a few timers for all of them. */
export class SharedTimer {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #open: Set<Timed> | undefined;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** From now; what it waited for before, in this timer or another, is forgotten. */
  start(timed: Timed): void {
    timed.round?.delete(timed);
    this.#open ??= this.#newRound();
    this.#open.add(timed);
    timed.round = this.#open;
  }

  /** In whatever timer it waits. */
  static stop(timed: Timed): void {
    timed.round?.delete(timed);
    timed.round = undefined;
  }

  #newRound(): Set<Timed> {
    const round = new Set<Timed>();
    this.#clock.after(this.#delayMs / ROUNDS, () => {
      if (this.#open === round) this.#open = undefined;
    });
    this.#clock.after(this.#delayMs, () => this.#finish(round));
    return round;
  }

  #finish(round: Set<Timed>): void {
    let count = 0;
    for (const timed of round) {
      if (count === AT_A_TIME) {
        this.#clock.after(0, () => this.#finish(round));
        return;
      }
      count++;
      SharedTimer.stop(timed);
      timed.due();
    }
  }
}
