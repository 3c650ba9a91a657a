import { SETTINGS_DEFAULT } from "@parley/server";
import { expect, test } from "vitest";
import { type Citizen, Town } from "./town.ts";

const limits = (numbers: Partial<typeof SETTINGS_DEFAULT.limits>) => ({
  limits: { ...SETTINGS_DEFAULT.limits, ...numbers },
});

const textsHeard = (citizen: Citizen) =>
  citizen
    .heard("message")
    .map(({ message }) => (message.content.kind === "text" ? message.content.text : "?"))
    .filter((text) => text.startsWith("m"));

async function writeMany(from: Citizen, to: Citizen, { first = 1, count = 1 }): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, i) => `m${first + i}`);
  for (const text of texts) await from.messenger.sendText(to.id, text);
  return texts;
}

test("a flood of messages goes out at a quarter of the account's budget, and none is refused", async () => {
  const town = new Town(limits({ durableSendsPerMinute: 40 }));
  const [alice, bob] = await town.friends();
  await town.pass(120_000);
  const texts = await writeMany(alice, bob, { count: 30 });
  await town.pass(1_000);
  expect(textsHeard(bob)).toEqual(texts.slice(0, 10));
  await town.pass(60_000);
  expect(textsHeard(bob)).toEqual(texts.slice(0, 20));
  await town.pass(60_000);
  expect(textsHeard(bob)).toEqual(texts);
  // Each went once: nothing was refused and repeated. The first greeting is one too.
  const own = alice
    .sent("sendMessage")
    .filter(({ recipientEnvelopes }) => recipientEnvelopes.length);
  const receipts = bob.sent("sendMessage").length;
  expect(own.length).toBeLessThan(30 + 2 * receipts);
});

test("what the server refuses waits for as long as it says, and arrives once and in order", async () => {
  const town = new Town(limits({ durableSendsPerMinute: 40 }));
  const [alice, bob] = await town.friends();
  await town.pass(120_000);
  // Each start of the program knows nothing of what was sent before it: the server's budget ends first.
  const all: string[] = [];
  for (let start = 0; start < 6; start++) {
    all.push(...(await writeMany(alice, bob, { first: all.length + 1, count: 10 })));
    await town.pass(200);
    await alice.restart();
  }
  expect(textsHeard(bob).length).toBeLessThan(45);
  await town.pass(120_000);
  expect(textsHeard(bob)).toEqual(all);
  const shown = await town.run(alice.messenger.history(bob.id, { limit: 100 }));
  expect(shown.filter(({ status }) => status === "queued" || status === "failed")).toEqual([]);
});

test("an account that is asked for by many gives last-resort prekeys, and everybody reaches it", async () => {
  const town = new Town(limits({ bundlesOfAccountPerHour: 1 }));
  const bob = await town.citizen("bob");
  for (const name of ["alice", "carol", "dora"]) {
    const stranger = await town.citizen(name);
    await stranger.says(bob, `from ${name}`);
  }
  expect(bob.heard("message")).toHaveLength(3);
});
