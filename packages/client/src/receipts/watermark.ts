import {
  addCounters,
  type CounterSet,
  countersOf,
  differenceOf,
  hasCounter,
  NO_COUNTERS,
  removeCounters,
  unionOf,
} from "../conversation/counter-set.ts";

/** Everything up to a counter, but for the exceptions (delivery.md 6). */
export interface Watermark {
  readonly upTo: number;
  readonly except: readonly number[];
}

/** The schema's limit. What would need more stays below the next watermark until holes are closed. */
export const EXCEPTIONS_MAX = 32;

/** The highest watermark over 1–`head` that names at most 32 of `absent` as exceptions. */
export function watermarkOf(head: number, absent: CounterSet): Watermark {
  const above = countersOf(absent, EXCEPTIONS_MAX + 1);
  const beyond = above[EXCEPTIONS_MAX];
  let upTo = beyond === undefined ? head : Math.min(head, beyond - 1);
  const except = above.filter((counter) => counter <= upTo);
  // Exceptions at the end only say that it ends before them.
  while (except.length > 0 && except.at(-1) === upTo) {
    except.pop();
    upTo -= 1;
  }
  return { upTo, except };
}

export function coveredBy({ upTo, except }: Watermark): CounterSet {
  let covered = addCounters(NO_COUNTERS, 1, upTo);
  for (const counter of except) covered = removeCounters(covered, counter, counter);
  return covered;
}

/** What the receiver of a chain may say of it. */
export interface ReceivedChain {
  readonly head: number;
  readonly start: number;
  readonly missing: CounterSet;
  readonly settled: CounterSet;
  readonly unread: CounterSet;
  /** Read receipts are switched off: `read` says nothing. */
  readonly showsRead: boolean;
}

export function receiptOf(chain: ReceivedChain): {
  readonly delivered: Watermark;
  readonly read: Watermark;
} {
  // What lies below the start was never meant for this device.
  const gone = removeCounters(chain.settled, 1, chain.start - 1);
  const absent = unionOf(chain.missing, gone);
  const delivered = watermarkOf(chain.head, absent);
  if (!chain.showsRead) return { delivered, read: { upTo: 0, except: [] } };
  return { delivered, read: watermarkOf(delivered.upTo, unionOf(absent, chain.unread)) };
}

/** What is known of an own chain. */
export interface OwnChainMarks {
  readonly accepted: CounterSet;
  readonly delivered: CounterSet;
  readonly read: CounterSet;
}

export interface ReceivedReceipt {
  /** The counter at which the chain began for the device that speaks: below it, it says nothing. */
  readonly start: number;
  readonly delivered: Watermark;
  readonly read: Watermark;
}

/** What a receipt says about an own chain, over what was known: nothing ever goes back. */
export function afterReceipt(
  before: OwnChainMarks,
  receipt: ReceivedReceipt,
): OwnChainMarks & { readonly newlyDelivered: CounterSet; readonly newlyRead: CounterSet } {
  const says = (watermark: Watermark) => removeCounters(coveredBy(watermark), 1, receipt.start - 1);
  const read = unionOf(before.read, says(receipt.read));
  const delivered = unionOf(unionOf(before.delivered, says(receipt.delivered)), read);
  return {
    accepted: unionOf(before.accepted, delivered),
    delivered,
    read,
    newlyDelivered: differenceOf(delivered, before.delivered),
    newlyRead: differenceOf(read, before.read),
  };
}

/** The status of one entry of an own chain. */
export function statusOf(
  { accepted, delivered, read }: OwnChainMarks,
  counter: number,
): "queued" | "sent" | "delivered" | "read" {
  if (hasCounter(read, counter)) return "read";
  if (hasCounter(delivered, counter)) return "delivered";
  return hasCounter(accepted, counter) ? "sent" : "queued";
}
