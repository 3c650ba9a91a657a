import type { Random } from "../ports/random.ts";

const DELAY_MS_MIN = 250;
const DELAY_MS_MAX = 30_000;

/** Full jitter (delivery.md, quality.md 3): a random time up to a ceiling that doubles at each failure. */
export class Backoff {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  nextDelayMs(): number {
    this.#failures += 1;
    const ceiling = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(this.#failures, 16));
    return Math.round(DELAY_MS_MIN + fraction(this.#random) * (ceiling - DELAY_MS_MIN));
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** From 0 up to, and without, 1. */
function fraction(random: Random): number {
  const [a = 0, b = 0, c = 0] = random(3);
  return (a * 65_536 + b * 256 + c) / 2 ** 24;
}
