import { check, type Verdict } from "./checker/check.ts";
import { describe, type HistoryEvent } from "./checker/history.ts";
import type { Violation } from "./checker/violation.ts";
import { CALM_MS_MAX, type WorldResult } from "./world/world.ts";

/** The last line of a run: the same seed always gives the same one. */
export interface Summary {
  readonly seed: number;
  readonly traceHash: string;
  readonly accepted: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly undecryptable: number;
}

export interface Report {
  readonly summary: Summary;
  readonly verdict: Verdict;
  /** What broke first, with the history around it; undefined: nothing broke. */
  readonly broken: string | undefined;
}

const LINES_AROUND = 60;

export function reportOf(seed: number, result: WorldResult): Report {
  const verdict = check(result.history);
  const { accepted, lost, duplicated, reordered, undecryptable } = verdict;
  return {
    summary: {
      ...{ seed, traceHash: result.traceHash, accepted, lost },
      ...{ duplicated, reordered, undecryptable },
    },
    verdict,
    broken: brokenOf(result, verdict),
  };
}

function brokenOf(result: WorldResult, { violations }: Verdict): string | undefined {
  const { failure, history, plan, calmAfterMs } = result;
  const lines: string[] = [];
  if (failure !== undefined) {
    lines.push(`something threw: ${(failure as Error)?.stack ?? String(failure)}`);
    lines.push(...history.slice(-LINES_AROUND).map(describe));
  } else if (calmAfterMs === undefined)
    lines.push(`not everything had arrived ${CALM_MS_MAX / 1000} s after the last heal`);
  const first = violations[0];
  if (first !== undefined && failure === undefined) {
    lines.push(`${violations.length} violations; the first: ${first.invariant}: ${first.what}`);
    lines.push(...violations.slice(1, 10).map(({ invariant, what }) => `  ${invariant}: ${what}`));
    lines.push(...around(history, first).map(describe));
  }
  if (lines.length === 0) return undefined;
  return [`plan: ${JSON.stringify(plan)}`, ...lines].join("\n");
}

/** What names the same message, and what happened just before; deeds of the disk only where they matter. */
function around(history: readonly HistoryEvent[], { seq, about, invariant }: Violation) {
  const concerns = (event: HistoryEvent) => {
    if (event.f === "list") return event.seq === seq;
    if (event.f === "fault" || event.f === "start") return true;
    const text = JSON.stringify(event);
    return about.some((name) => text.includes(name));
  };
  const near = (event: HistoryEvent) =>
    event.seq <= seq &&
    event.seq > seq - LINES_AROUND &&
    (invariant === "I6" || (event.f !== "commit" && event.f !== "list"));
  return history.filter((event) => concerns(event) || near(event)).slice(-4 * LINES_AROUND);
}
