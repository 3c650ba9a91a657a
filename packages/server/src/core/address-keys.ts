import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { visitorKey } from "./visitor-key.ts";

const SALT_BYTES = 16;
/** Nothing that names an address outlives the time for which abuse is looked at (trust.md 10). */
const SALT_MS_MAX = 24 * 60 * 60 * 1000;

/** Names addresses to the counters of limits, each day anew: the names of a day that is over lead nowhere. */
export class AddressKeys {
  readonly #clock: Clock;
  readonly #random: Random;
  #salt: Uint8Array | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  keyOf(address: string): string {
    return visitorKey(this.#salt ?? this.#newSalt(), address);
  }

  #newSalt(): Uint8Array {
    const salt = this.#random(SALT_BYTES);
    this.#salt = salt;
    this.#clock.after(SALT_MS_MAX, () => {
      this.#salt = undefined;
    });
    return salt;
  }
}
