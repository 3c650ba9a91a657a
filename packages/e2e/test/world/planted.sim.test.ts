import { expect, test } from "vitest";
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

const SEEDS_MAX = 12;

const CALM: Partial<Plan> = {
  people: ["alice", "bob"],
  ...{ safetyMs: 60_000, actEveryMs: 800, faultEveryMs: 5000, wakeupsLost: 0 },
  network: { delayMsMax: 100, cutPerFrame: 0, refusedConnects: 0, halfOpen: 0 },
  ...{ portDelayMsMax: 0, commitDelayMsMax: 5 },
};

/** What the checker calls broken in the first few worlds with that plant, until it names the invariant. */
async function brokenWith(
  plants: WorldOptions["plants"] & object,
  faults: Plan["faults"],
  expected: Invariant,
): Promise<Set<Invariant>> {
  const broken = new Set<Invariant>();
  for (let seed = 1; seed <= SEEDS_MAX && !broken.has(expected); seed++) {
    const plan = { ...CALM, faults };
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
  const faults = { "server restored from a copy": 1 };
  expect(await brokenWith(floorIgnored, faults, "I1")).toContain("I1");
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
