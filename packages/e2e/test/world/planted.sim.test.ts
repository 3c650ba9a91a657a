import { expect, test, vi } from "vitest";
import { check } from "../../src/checker/check.ts";
import type { Invariant } from "../../src/checker/violation.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import type { Person } from "../../src/world/person.ts";
import type { Plan } from "../../src/world/plan.ts";
import { runWorld, type Stage, type WorldOptions } from "../../src/world/world.ts";
import {
  ackBeforeCommit,
  ackBeforeWrite,
  clientAckBeforeCommit,
  floorIgnored,
  noDuplicateFilter,
  receiptsForgotten,
  tornTailServed,
} from "./plants.ts";

vi.setConfig({ testTimeout: 120_000 });

const SEEDS_MAX = 12;
/** Long enough to connect and to say something. */
const A_WHILE_MS = 20_000;
const A_MOMENT_MS = 5_000;
const TEARS = 20;
const SENDS_AT_ONCE = 8;

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
  for (const fault of [
    "server killed",
    "server restored from a copy",
    "client killed",
    "log damaged",
  ] as const) {
    const result = await runWorld({ seed: "planted 1", plan: { ...CALM, faults: { [fault]: 1 } } });
    expect([result.failure, check(result.history).violations]).toEqual([undefined, []]);
    expect(result.calmAfterMs).toBeDefined();
  }
});

test("a server that says accepted before it has committed is caught as a loss", async () => {
  const broken = await brokenWith(ackBeforeCommit, { "server killed": 1 }, "I1");
  expect(broken).toContain("I1");
});

test("a server that says accepted before its log is written is caught by the disk", async () => {
  expect(await brokenWith(ackBeforeWrite, {}, "I1")).toContain("I1");
});

test("a server that serves the torn end of its log is caught by what its devices get", async () => {
  const plan = {
    ...CALM,
    writers: ["alice"],
    faults: {},
    safetyMs: 600_000,
    diskDelayMsMax: 1_000,
  };
  const honest = await runWorld({ seed: "torn", plan, scenario: tearing });
  expect([honest.failure, check(honest.history).violations]).toEqual([undefined, []]);
  expect(honest.counters.of("an append is torn by a kill")).toBeGreaterThan(0);
  const { history } = await runWorld({
    seed: "torn",
    plan,
    scenario: tearing,
    plants: tornTailServed,
  });
  expect(check(history).violations.map(({ invariant }) => invariant)).toContain("I3");
});

/** The server dies again and again in the middle of what it writes for bob, who is away. */
async function tearing({ clock, server, people: [alice, bob] }: Stage): Promise<void> {
  await clock.sleep(A_WHILE_MS);
  await meet(alice, bob);
  await bob?.close();
  for (let i = 0; i < TEARS; i++) {
    for (let j = 0; j < SENDS_AT_ONCE; j++) void alice?.send("bob");
    await clock.sleep(i % 2 === 0 ? 300 : 600);
    server.kill("in a write");
    server.start();
    await clock.sleep(A_MOMENT_MS);
  }
}

async function meet(one: Person | undefined, other: Person | undefined): Promise<void> {
  const found = await one?.present?.messenger.resolveHandle(other?.name ?? "");
  if (found !== undefined && other !== undefined) one?.friends.set(other.name, found.accountId);
}

for (const what of ["a copy is put back", "a part of its log is damaged"] as const)
  test(`a server that ignores the floor of an epoch is caught as a loss where ${what}`, async () => {
    const scenario = losing(what);
    // Nothing that alice says later, not even a receipt, tells bob that something is missing.
    const plan = { ...CALM, writers: ["alice"], faults: {}, safetyMs: 600_000 };
    const honest = await runWorld({ seed: "floor", plan, scenario });
    expect([honest.failure, check(honest.history).violations]).toEqual([undefined, []]);
    const { history } = await runWorld({ seed: "floor", plan, scenario, plants: floorIgnored });
    expect(check(history).violations.map(({ invariant }) => invariant)).toContain("I1");
  });

/** What bob, who is away, is told of by the server alone, and which the server then loses. */
function losing(what: "a copy is put back" | "a part of its log is damaged") {
  return async ({ clock, server, people: [alice, bob] }: Stage) => {
    await clock.sleep(A_WHILE_MS);
    await meet(alice, bob);
    await bob?.close();
    const copy = server.copy();
    await alice?.send("bob");
    // Before it moves out of the log.
    await clock.sleep(A_MOMENT_MS);
    server.kill("to lose something");
    if (what === "a copy is put back") server.restore(copy);
    else for (let i = 0; i < 20; i++) server.damageLog(new SeededRandom(`damage ${i}`));
    server.start();
    await clock.sleep(A_WHILE_MS);
  };
}

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
