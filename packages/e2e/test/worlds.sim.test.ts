import { expect, test } from "vitest";
import { reportOf } from "../src/report.ts";
import { Counters } from "../src/world/sometimes.ts";
import { runWorld } from "../src/world/world.ts";

/** Issue 4 asks for at least 100 in CI. */
const SEEDS = 100;
/** Every so many-th is run twice. */
const TWICE_EVERY = 10;
const BATCH = 10;

const counters = new Counters();

for (let first = 1; first <= SEEDS; first += BATCH)
  test(`the promises hold in worlds ${first} to ${first + BATCH - 1}`, {
    timeout: 120_000,
  }, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const result = await runWorld({ seed: String(seed) });
      counters.add(result.counters);
      const { broken, summary } = reportOf(seed, result);
      expect(broken, `npm run simulate -- --seed ${seed}`).toBeUndefined();
      expect(summary).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, undecryptable: 0 });
      if (seed % TWICE_EVERY !== 0) continue;
      const again = await runWorld({ seed: String(seed) });
      expect(reportOf(seed, again).summary, `seed ${seed} run again`).toEqual(summary);
    }
  });

test("everything that is to be met was met in some of the worlds", () => {
  expect(counters.never(), `counted:\n${counters}`).toEqual([]);
});
