import { expect, test } from "vitest";
import { reportOf } from "../src/report.ts";
import { Counters } from "../src/world/sometimes.ts";
import { runWorld } from "../src/world/world.ts";

/** Every so many-th is run twice. */
const TWICE_EVERY = 10;
const BATCH = 10;
const TIMEOUT_MS = 120_000;

/** One test for ten seeds; and one that everything was met in them that must be met. */
export function worldsHold(first: number, last: number): void {
  const counters = new Counters();
  for (let from = first; from <= last; from += BATCH) {
    const to = Math.min(from + BATCH - 1, last);
    test(`the promises hold in worlds ${from} to ${to}`, { timeout: TIMEOUT_MS }, async () => {
      for (let seed = from; seed <= to; seed++) counters.add(await worldHolds(seed));
    });
  }
  test("everything that is to be met was met in some of these worlds", () => {
    expect(counters.never(), `counted:\n${counters}`).toEqual([]);
  });
}

async function worldHolds(seed: number): Promise<Counters> {
  const result = await runWorld({ seed: String(seed) });
  const { broken, summary } = reportOf(seed, result);
  expect(broken, `npm run simulate -- --seed ${seed}`).toBeUndefined();
  expect(summary).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, undecryptable: 0 });
  if (seed % TWICE_EVERY === 0) {
    const again = await runWorld({ seed: String(seed) });
    expect(reportOf(seed, again).summary, `seed ${seed} run again`).toEqual(summary);
  }
  return result.counters;
}
