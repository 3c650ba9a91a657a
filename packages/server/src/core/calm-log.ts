import type { Clock } from "../ports/clock.ts";
import type { Log, LogFields } from "../ports/log.ts";
import type { LogEvent } from "../ports/log-events.ts";

/** Enough to see what happens; a flood of any event is so many lines and one that counts the others. */
const LINES_MAX = 20;
const PERIOD_MS = 10_000;

interface Seen {
  lines: number;
  leftOut: number;
}

/** A log that nobody from outside can fill: of each event and level, a few lines in ten seconds. */
export function calmLog(log: Log, clock: Clock): Log {
  const calm = (write: Log["info"]): Log["info"] => {
    const seen = new Map<LogEvent, Seen>();
    return (fields: LogFields, event: LogEvent) => {
      const of = seen.get(event) ?? begin(event);
      if (of.lines++ < LINES_MAX) write(fields, event);
      else of.leftOut++;
    };

    function begin(event: LogEvent): Seen {
      const of = { lines: 0, leftOut: 0 };
      seen.set(event, of);
      clock.after(PERIOD_MS, () => {
        seen.delete(event);
        if (of.leftOut > 0) write({ of: event, count: of.leftOut }, "lines-left-out");
      });
      return of;
    }
  };
  return {
    debug: calm((fields, event) => log.debug(fields, event)),
    info: calm((fields, event) => log.info(fields, event)),
    warn: calm((fields, event) => log.warn(fields, event)),
    error: calm((fields, event) => log.error(fields, event)),
  };
}
