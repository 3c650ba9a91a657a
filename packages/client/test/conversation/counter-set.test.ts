import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addCounters,
  type CounterSet,
  countersOf,
  countOf,
  differenceOf,
  hasCounter,
  NO_COUNTERS,
  removeCounters,
  unionOf,
} from "../../src/conversation/counter-set.ts";

const counter = fc.integer({ min: 1, max: 40 });
const change = fc.record({ add: fc.boolean(), first: counter, last: counter });
type Step = { add: boolean; first: number; last: number };

function build(steps: readonly Step[]): { set: CounterSet; plain: Set<number> } {
  let set: CounterSet = NO_COUNTERS;
  const plain = new Set<number>();
  for (const { add, first, last } of steps) {
    set = add ? addCounters(set, first, last) : removeCounters(set, first, last);
    for (let i = first; i <= last; i++) {
      if (add) plain.add(i);
      else plain.delete(i);
    }
  }
  return { set, plain };
}
const rising = (plain: Iterable<number>) => [...plain].sort((a, b) => a - b);

test("holds what a plain set holds after the same changes", () =>
  fc.assert(
    fc.property(fc.array(change), (steps) => {
      const { set, plain } = build(steps);
      expect(countersOf(set, 100)).toEqual(rising(plain));
      expect(countOf(set)).toBe(plain.size);
      for (let i = 0; i <= 41; i++) expect(hasCounter(set, i)).toBe(plain.has(i));
    }),
  ));

test("keeps runs apart, in order and as few as can be", () =>
  fc.assert(
    fc.property(fc.array(change), (steps) => {
      const { set } = build(steps);
      expect(set.length % 2).toBe(0);
      for (let i = 0; i < set.length; i += 2) {
        expect(set[i + 1]).toBeGreaterThanOrEqual(set[i] as number);
        if (i > 0) expect(set[i]).toBeGreaterThan((set[i - 1] as number) + 1);
      }
    }),
  ));

test("unites and subtracts", () =>
  fc.assert(
    fc.property(fc.array(change), fc.array(change), (a, b) => {
      const one = build(a);
      const other = build(b);
      expect(countersOf(unionOf(one.set, other.set), 100)).toEqual(
        rising(one.plain.union(other.plain)),
      );
      expect(countersOf(differenceOf(one.set, other.set), 100)).toEqual(
        rising(one.plain.difference(other.plain)),
      );
    }),
  ));

test("takes a run of four thousand million without counting through it", () => {
  const set = removeCounters(addCounters(NO_COUNTERS, 1, 4_294_967_295), 7, 7);
  expect(set).toEqual([1, 6, 8, 4_294_967_295]);
  expect(countOf(set)).toBe(4_294_967_294);
});
