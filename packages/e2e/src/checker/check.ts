import { noSkip } from "./acks.ts";
import {
  durableFirst,
  noDuplicate,
  noLoss,
  nothingFromNowhere,
  servedAsSent,
  writtenFirst,
} from "./delivery.ts";
import type { HistoryEvent } from "./history.ts";
import { everythingArrives, nothingUndecryptable } from "./liveness.ts";
import { oneOrder } from "./order.ts";
import { honestReceipts } from "./receipts.ts";
import { sendsOf } from "./sends.ts";
import type { Invariant, Violation } from "./violation.ts";

export interface Verdict {
  /** The earliest in the history first. */
  readonly violations: readonly Violation[];
  /** Messages that the server accepted. */
  readonly accepted: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly undecryptable: number;
}

/** Holds a finished history against the promises of quality.md 2. Pure: it knows nothing but the history. */
export function check(history: readonly HistoryEvent[]): Verdict {
  const violations = [
    ...noLoss(history),
    ...durableFirst(history),
    ...writtenFirst(history),
    ...servedAsSent(history),
    ...noDuplicate(history),
    ...nothingFromNowhere(history),
    ...oneOrder(history),
    ...noSkip(history),
    ...honestReceipts(history),
    ...nothingUndecryptable(history),
    ...everythingArrives(history),
  ].sort((a, b) => a.seq - b.seq);
  const count = (invariant: Invariant) =>
    new Set(
      violations
        .filter((violation) => violation.invariant === invariant)
        .map(({ what, about }) => about[0] ?? what),
    ).size;
  return {
    violations,
    accepted: sendsOf(history).filter(({ accepted }) => accepted).length,
    lost: count("I1"),
    duplicated: count("I2"),
    reordered: count("I4"),
    undecryptable: count("I12"),
  };
}
