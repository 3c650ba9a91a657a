import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** What a server reaches the world through, made so that it all falls silent at once, as in `kill -9`. */
export interface Mortal {
  readonly clock: Clock;
  readonly log: Log;
  /** Runs at the end. */
  atEnd(run: () => void): void;
  isDead(): boolean;
  end(): void;
}

export function mortal(clock: Clock, log: Log): Mortal {
  let isDead = false;
  const ends: (() => void)[] = [];
  const cancels = new Set<() => void>();
  const alive =
    <T extends unknown[]>(run: (...values: T) => void) =>
    (...values: T) => {
      if (!isDead) run(...values);
    };
  return {
    clock: {
      now: () => clock.now(),
      after: (delayMs, run) => {
        if (isDead) return () => undefined;
        const cancel = clock.after(delayMs, () => {
          cancels.delete(cancel);
          run();
        });
        cancels.add(cancel);
        return () => {
          cancels.delete(cancel);
          cancel();
        };
      },
    },
    log: {
      debug: alive((fields, event) => log.debug(fields, event)),
      info: alive((fields, event) => log.info(fields, event)),
      warn: alive((fields, event) => log.warn(fields, event)),
      error: alive((fields, event) => log.error(fields, event)),
    },
    atEnd: (run) => ends.push(run),
    isDead: () => isDead,
    end: () => {
      isDead = true;
      for (const run of ends) run();
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
