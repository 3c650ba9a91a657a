/**
 * A set of counters as rising pairs, first and last of each run: `[1, 4, 7, 7]` holds 1–4 and 7. Runs
 * neither touch nor overlap. It is how rows store it, so a chain of 10,000 entries that are all here costs
 * nothing, and each hole eight bytes.
 */
export type CounterSet = readonly number[];

export const NO_COUNTERS: CounterSet = [];

export function hasCounter(set: CounterSet, counter: number): boolean {
  const run = runAt(set, counter);
  return run < set.length && (set[run] as number) <= counter;
}

/** Both ends included; nothing where `last` is below `first`. */
export function addCounters(set: CounterSet, first: number, last: number): CounterSet {
  if (last < first) return set;
  const from = runAt(set, first - 1); // The first run that touches or lies above.
  let until = from;
  let low = first;
  let high = last;
  while (until < set.length && (set[until] as number) <= last + 1) {
    low = Math.min(low, set[until] as number);
    high = Math.max(high, set[until + 1] as number);
    until += 2;
  }
  return [...set.slice(0, from), low, high, ...set.slice(until)];
}

export function removeCounters(set: CounterSet, first: number, last: number): CounterSet {
  if (last < first) return set;
  const from = runAt(set, first);
  let until = from;
  const rest: number[] = [];
  while (until < set.length && (set[until] as number) <= last) {
    const low = set[until] as number;
    const high = set[until + 1] as number;
    if (low < first) rest.push(low, first - 1);
    if (high > last) rest.push(last + 1, high);
    until += 2;
  }
  return [...set.slice(0, from), ...rest, ...set.slice(until)];
}

export function unionOf(one: CounterSet, other: CounterSet): CounterSet {
  let all = one;
  for (const [first, last] of runsOf(other)) all = addCounters(all, first, last);
  return all;
}

/** What is in `one` and not in `other`. */
export function differenceOf(one: CounterSet, other: CounterSet): CounterSet {
  let rest = one;
  for (const [first, last] of runsOf(other)) rest = removeCounters(rest, first, last);
  return rest;
}

export function countOf(set: CounterSet): number {
  let count = 0;
  for (const [first, last] of runsOf(set)) count += last - first + 1;
  return count;
}

export function* runsOf(set: CounterSet): Generator<readonly [first: number, last: number]> {
  for (let run = 0; run < set.length; run += 2) yield [set[run] as number, set[run + 1] as number];
}

/** In rising order, at most `limit` of them. */
export function countersOf(set: CounterSet, limit: number): number[] {
  const counters: number[] = [];
  for (const [first, last] of runsOf(set))
    for (let counter = first; counter <= last; counter++) {
      if (counters.length === limit) return counters;
      counters.push(counter);
    }
  return counters;
}

/** The run that holds the counter. */
export function runWith(
  set: CounterSet,
  counter: number,
): { readonly first: number; readonly last: number } | undefined {
  if (!hasCounter(set, counter)) return undefined;
  const run = runAt(set, counter);
  return { first: set[run] as number, last: set[run + 1] as number };
}

/** Index of the first run that ends at `counter` or above. */
function runAt(set: CounterSet, counter: number): number {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((set[2 * middle + 1] as number) < counter) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}
