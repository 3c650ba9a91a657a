import { randomBytes } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";

/** Node's timers count in 32 bits, signed; what is longer would run at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number) => {
      timer = setTimeout(
        () => (restMs > TIMER_MS_MAX ? wait(restMs - TIMER_MS_MAX) : run()),
        Math.min(restMs, TIMER_MS_MAX),
      );
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = (byteCount) => new Uint8Array(randomBytes(byteCount));
