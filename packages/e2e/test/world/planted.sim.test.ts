import { expect, test, vi } from "vitest";
import { check } from "../../src/checker/check.ts";
import type { Invariant } from "../../src/checker/violation.ts";
import type { Plan } from "../../src/world/plan.ts";
import { runWorld, type WorldOptions } from "../../src/world/world.ts";
import {
  ackBeforeCommit,
  clientAckBeforeCommit,
  floorIgnored,
  noDuplicateFilter,
  receiptsForgotten,
} from "./plants.ts";

vi.setConfig({ testTimeout: 120_000 });

const SEEDS_MAX = 12;

const CALM: Partial<Plan> = {
  people: ["alice", "bob"],
  writers: ["alice", "bob"],
  ...{ safetyMs: 60_000, actEveryMs: 800, faultEveryMs: 5000, wakeupsLost: 0 },
  network: { delayMsMax: 100, cutPerFrame: 0, refusedConnects: 0, halfOpen: 0 },
  // Nothing is said after the heal: a later message would tell of what is missing, and have it asked for.
  lastWord: false,
  ...{ portDelayMsMax: 0, commitDelayMsMax: 5 },
};

/** What the checker calls broken in the first few worlds with that plant, until it names the invariant. */
async function brokenWith(
  plants: WorldOptions["plants"] & object,
  faults: Plan["faults"],
  expected: Invariant,
  changes: Partial<Plan> = {},
): Promise<Set<Invariant>> {
  const broken = new Set<Invariant>();
  for (let seed = 1; seed <= SEEDS_MAX && !broken.has(expected); seed++) {
    const plan = { ...CALM, faults, ...changes };
    const { history } = await runWorld({ seed: `planted ${seed}`, plan, plants });
    for (const { invariant } of check(history).violations) broken.add(invariant);
  }
  return broken;
}

test("the same worlds without a plant break nothing", async () => {
  for (const fault of ["server killed", "server restored from a copy", "client killed"] as const) {
    const result = await runWorld({ seed: "planted 1", plan: { ...CALM, faults: { [fault]: 1 } } });
    expect([result.failure, check(result.history).violations]).toEqual([undefined, []]);
    expect(result.calmAfterMs).toBeDefined();
  }
});

test("a server that says accepted before it has committed is caught as a loss", async () => {
  const broken = await brokenWith(ackBeforeCommit, { "server killed": 1 }, "I1");
  expect(broken).toContain("I1");
});

test("a server that ignores the floor of an epoch is caught as a loss", async () => {
  // Only what waits for somebody who is away goes with the copy, and nothing that alice says later, not even
  // a receipt, tells bob that something is missing: he would ask for it, and the fault would heal.
  const faults = { "server restored from a copy": 2, "client away": 2, "client unreachable": 2 };
  const quiet = { writers: ["alice"], actEveryMs: 8000, faultEveryMs: 4000 };
  expect(await brokenWith(floorIgnored, faults, "I1", quiet)).toContain("I1");
});

test("a device that acknowledges before its commit is caught by the order of ack and commit", async () => {
  const broken = await brokenWith(clientAckBeforeCommit, { "client killed": 1 }, "I6");
  expect(broken).toContain("I6");
});

test("a device without a duplicate filter is caught showing a message twice", async () => {
  const faults = { "server restored from a copy": 1 };
  expect(await brokenWith(noDuplicateFilter, faults, "I2")).toContain("I2");
});

test("a device whose receipts regress is caught by the status that goes back", async () => {
  expect(await brokenWith(receiptsForgotten, { "client killed": 1 }, "I7")).toContain("I7");
});
