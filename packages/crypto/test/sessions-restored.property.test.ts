import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionWorld, stepsOf, type Weights } from "./fixtures/session-world.ts";

/** Half of the thousand (sessions.property.test.ts). */
const SEEDS = Number(process.env["PROPERTY_SEEDS"] ?? 500);
const WEIGHTS: Weights = {
  send: 14,
  deliver: 14,
  replay: 2,
  tamper: 2,
  begin: 2,
  "both-begin": 1,
  "crash-sending": 2,
  "crash-receiving": 2,
  reset: 2,
  "take-backup": 1,
  "roll-back": 1,
};

describe("whatever is restored from an older store, and reset", () => {
  test("no message key is used twice, and what was not lost with it is read once", () => {
    let read = 0;
    fc.assert(
      fc.property(
        stepsOf(WEIGHTS, { min: 10, max: 70 }),
        fc.constantFrom<0 | 1>(0, 1),
        (steps, victim) => {
          const world = new SessionWorld({ inOrder: true });
          for (const step of steps) world.run(step);
          world.settle();
          world.assertForwardSecrecy();
          world.assertHealing(victim);
          read += world.delivered[0].length + world.delivered[1].length;
        },
      ),
      { numRuns: SEEDS, seed: 3 },
    );
    expect(read).toBeGreaterThan(5 * SEEDS);
  });
});
