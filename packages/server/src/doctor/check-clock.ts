import { setTimeout as wait } from "node:timers/promises";
import { type Finding, findingsOf } from "./finding.ts";
import { readableMs } from "./readable.ts";

/** This program is younger: a clock that shows less was never set. */
const EARLIEST_MS = Date.UTC(2026, 0);
const LATEST_MS = Date.UTC(2100, 0);
const WATCHED_MS = 200;
/** A clock that is slewed to the right time goes wrong by 0.05 % of the time watched, far below it. */
const STEP_MS_MAX = 50;

const { ok, warning, problem } = findingsOf("clock");
const SYNCHRONISE = "let the system keep its time, such as by chrony or systemd-timesyncd";

/** Without asking anybody: is the year possible, and does the time go by evenly? */
export async function checkClock(): Promise<Finding[]> {
  const [wallMs, steadyMs] = [Date.now(), performance.now()];
  await wait(WATCHED_MS);
  const nowMs = Date.now();
  return [judgeClock({ nowMs, steppedMs: nowMs - wallMs - (performance.now() - steadyMs) })];
}

export function judgeClock(seen: { readonly nowMs: number; readonly steppedMs: number }): Finding {
  const { nowMs, steppedMs } = seen;
  const now = new Date(nowMs).toISOString().slice(0, 19);
  if (nowMs < EARLIEST_MS || nowMs > LATEST_MS)
    return problem(`the clock shows ${now}, which cannot be`, SYNCHRONISE);
  if (Math.abs(steppedMs) > STEP_MS_MAX)
    return warning(
      `the clock jumped by ${readableMs(Math.abs(steppedMs))} within ${WATCHED_MS} ms`,
      `${SYNCHRONISE}, and slew it rather than set it`,
    );
  return ok(`${now} UTC, and it goes evenly`);
}
