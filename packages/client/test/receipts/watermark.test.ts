import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addCounters,
  type CounterSet,
  countersOf,
  differenceOf,
  NO_COUNTERS,
} from "../../src/conversation/counter-set.ts";
import {
  afterReceipt,
  coveredBy,
  EXCEPTIONS_MAX,
  receiptOf,
  statusOf,
  watermarkOf,
} from "../../src/receipts/watermark.ts";

const HEAD = 120;
const setOf = (counters: readonly number[]): CounterSet =>
  counters.reduce((set, counter) => addCounters(set, counter, counter), NO_COUNTERS);
const counters = fc.uniqueArray(fc.integer({ min: 1, max: HEAD }), { maxLength: 60 }).map(setOf);
const whole = addCounters(NO_COUNTERS, 1, HEAD);

test("says of everything that is here, with few exceptions, exactly that", () =>
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: HEAD }), { maxLength: 32 }), (absent) => {
      const watermark = watermarkOf(HEAD, setOf(absent));
      expect(coveredBy(watermark)).toEqual(differenceOf(whole, setOf(absent)));
    }),
  ));

test("never covers what is absent, and never names more than 32 exceptions", () =>
  fc.assert(
    fc.property(counters, (absent) => {
      const watermark = watermarkOf(HEAD, absent);
      expect(watermark.except.length).toBeLessThanOrEqual(EXCEPTIONS_MAX);
      const covered = coveredBy(watermark);
      expect(differenceOf(covered, absent)).toEqual(covered);
    }),
  ));

test("says read only of what is delivered and was shown", () =>
  fc.assert(
    fc.property(counters, counters, (missing, unread) => {
      const chain = { head: HEAD, start: 1, missing, settled: [], unread, showsRead: true };
      const { delivered, read } = receiptOf(chain);
      expect(read.upTo).toBeLessThanOrEqual(delivered.upTo);
      const covered = coveredBy(read);
      expect(differenceOf(differenceOf(covered, missing), unread)).toEqual(covered);
    }),
  ));

test("counts what lies below the start as no exception", () => {
  const chain = { head: 100, start: 90, missing: [], settled: [1, 89], unread: [] };
  const { delivered, read } = receiptOf({ ...chain, showsRead: true });
  expect([delivered, read]).toEqual([
    { upTo: 100, except: [] },
    { upTo: 100, except: [] },
  ]);
});

test("says nothing of reading where read receipts are switched off", () => {
  const chain = { head: 9, start: 1, missing: [], settled: [], unread: [], showsRead: false };
  expect(receiptOf(chain).read.upTo).toBe(0);
});

test("moves no status back, whatever order receipts come in", () => {
  const rank = { queued: 0, sent: 1, delivered: 2, read: 3 };
  const receipt = fc.record({ delivered: counters, read: counters }).map(({ delivered, read }) => ({
    start: 1,
    delivered: watermarkOf(HEAD, delivered),
    read: watermarkOf(HEAD, read),
  }));
  fc.assert(
    fc.property(fc.array(receipt), (receipts) => {
      let marks = { accepted: NO_COUNTERS, delivered: NO_COUNTERS, read: NO_COUNTERS };
      for (const next of receipts) {
        const after = afterReceipt(marks, next);
        for (const counter of countersOf(whole, HEAD))
          expect(rank[statusOf(after, counter)]).toBeGreaterThanOrEqual(
            rank[statusOf(marks, counter)],
          );
        for (const counter of countersOf(after.newlyRead, HEAD))
          expect([statusOf(marks, counter), statusOf(after, counter)]).not.toEqual([
            "read",
            "read",
          ]);
        marks = after;
      }
    }),
  );
});

test("hears nothing about entries that were never meant for the device that speaks", () => {
  const nothing = { accepted: NO_COUNTERS, delivered: NO_COUNTERS, read: NO_COUNTERS };
  const upTo = { upTo: 9, except: [] };
  expect(afterReceipt(nothing, { start: 5, delivered: upTo, read: upTo }).newlyRead).toEqual([
    5, 9,
  ]);
});
