import type { VirtualClock } from "./virtual-clock.ts";

/** 2026-01-01: worlds begin there, so that nothing depends on the day of the run. */
export const WORLD_BEGIN_MS = Date.UTC(2026, 0, 1);

/**
 * One run of one program, from its start to its end or kill. A killed program cannot be stopped between two
 * of its lines; so everything that it reaches the world through is cut: its timers do not run, calls of its
 * ports never return, its frames go nowhere. What it still computes, nobody sees.
 */
export class Life {
  #alive = true;
  readonly #atEnd: (() => void)[] = [];

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs when it ends, at once where it has ended. */
  atEnd(run: () => void): void {
    if (this.#alive) this.#atEnd.push(run);
    else run();
  }

  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const run of this.#atEnd.splice(0)) run();
  }

  /** What a call of a dead program waits for. */
  never<T>(): Promise<T> {
    return new Promise(() => {});
  }
}

/** A program's clock: its wall time is its own and may jump, its timers end with it. */
export class LifeClock {
  readonly #clock: VirtualClock;
  readonly #life: Life;
  readonly #skew: { offsetMs: number };

  constructor(clock: VirtualClock, life: Life, skew: { offsetMs: number }) {
    this.#clock = clock;
    this.#life = life;
    this.#skew = skew;
  }

  now(): number {
    return WORLD_BEGIN_MS + Math.floor(this.#clock.time) + this.#skew.offsetMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#clock.after(delayMs, () => {
      if (this.#life.alive) run();
    });
  }
}
