import { pino } from "pino";
import type { Log } from "../../ports/log.ts";
import { cleanFields } from "./clean-fields.ts";

export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** Where lines go. Each is whole, with its end of line. */
export interface LogTarget {
  write(line: string): void;
}

/** One line of JSON for an event: `time`, `level`, `event`, and what the event tells. */
export function pinoLog(level: LogLevel, target: LogTarget = standardError()): Log {
  return pino(
    {
      level,
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      // Ours cleans errors too, and pino's own would put theirs in before.
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }), log: cleanFields },
    },
    target,
  );
}

/** Written at once, so that the last line before an end is there. */
function standardError(): LogTarget {
  return pino.destination({ dest: 2, sync: true });
}
