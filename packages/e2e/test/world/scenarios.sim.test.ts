import { expect, test } from "vitest";
import { check } from "../../src/checker/check.ts";
import type { Person } from "../../src/world/person.ts";
import type { Plan } from "../../src/world/plan.ts";
import { runWorld, type Stage } from "../../src/world/world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Long enough to connect, drain, and hear the server say no. */
const A_WHILE_MS = 120_000;

const QUIET: Partial<Plan> = {
  people: ["alice", "bob"],
  writers: ["alice"],
  ...{ safetyMs: 10 * DAY_MS, lastWord: false, wakeupsLost: 0, faults: {} },
  network: { delayMsMax: 5, cutPerFrame: 0, refusedConnects: 0, halfOpen: 0 },
  ...{ portDelayMsMax: 0, commitDelayMsMax: 0 },
};

test("what was accepted waits for somebody whom a restored server does not know yet, however long", async () => {
  const scenario = async ({ clock, server, people: [alice, bob] }: Stage) => {
    const before = server.copy();
    await clock.sleep(A_WHILE_MS);
    await meet(alice, bob);
    await bob?.close();
    await alice?.send("bob");
    await clock.sleep(A_WHILE_MS);
    await alice?.close();
    await clock.sleep(3 * DAY_MS);
    server.kill("for a restore");
    server.restore(before);
    server.start();
    await alice?.open();
    await clock.sleep(A_WHILE_MS);
    await bob?.open();
    await clock.sleep(A_WHILE_MS);
  };
  const { history, failure } = await runWorld({ seed: "restored", plan: QUIET, scenario });
  expect(failure).toBeUndefined();
  expect(check(history).violations).toEqual([]);
  const shown = history.filter((event) => event.f === "show" && event.who === "bob");
  expect(shown).toHaveLength(1);
});

async function meet(one: Person | undefined, other: Person | undefined): Promise<void> {
  const found = await one?.present?.messenger.resolveHandle(other?.name ?? "");
  if (found !== undefined && other !== undefined) one?.friends.set(other.name, found.accountId);
}
