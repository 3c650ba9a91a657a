import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { corpus, missingPackages } from "./fixtures/corpus.ts";
import { twoPeople } from "./fixtures/people.ts";
import type { JsonObject } from "./fixtures/person.ts";
import { between, SEED, seeded } from "./fixtures/seeded.ts";
import type { ServerProcess } from "./fixtures/server-process.ts";
import { Talker } from "./fixtures/talker.ts";

/** The main job on real input: two people talk while everything that can be killed is killed. */

const MESSAGES_EACH = Number(process.env["PARLEY_MESSAGES"] ?? "10000");
const SERVER_LIVES_MS = [2_000, 4_000] as const;
const CLIENT_LIVES_MS = [5_000, 9_000] as const;
/** Of all that a talker says and is shown: however fast the machine, nobody lives for longer. */
const SHARE_OF_A_LIFE = 1 / 8;
/** It takes about 100 s where the machine has nothing else to do. */
const TIME_MS_MAX = 300_000;

const missing = missingPackages();
if (missing.length > 0) {
  const what = `the corpus is missing: apt-get install ${missing.join(" ")} (npm run services installs them)`;
  if (process.env["CI"]) throw new Error(what);
  console.warn(`NOT TESTED, ${what}`);
}

test.skipIf(missing.length > 0)(
  `two people exchange ${MESSAGES_EACH} messages each way while server and clients are killed`,
  async () => {
    const began = performance.now();
    const random = seeded(SEED);
    const { server, alice, bob } = await twoPeople();
    const expected = MESSAGES_EACH;
    const texts = { alice: corpus(MESSAGES_EACH, random), bob: corpus(MESSAGES_EACH, random) };
    const over = new AbortController();
    const { signal } = over;
    const talkers = [
      new Talker({ person: alice, to: "bob", texts: texts.alice, expected, over: signal }),
      new Talker({ person: bob, to: "alice", texts: texts.bob, expected, over: signal }),
    ];
    const serverKills = killServer(server, random, { over: signal, by: talkers[0] as Talker });
    const clientKills = talkers.map((talker) => killTalker(talker, random, signal));
    const talks = Promise.all(talkers.map((talker) => talker.talk()));
    try {
      await Promise.race([Promise.all(talkers.map(({ done }) => done)), talks]);
    } finally {
      over.abort();
    }
    const kills = await serverKills;
    await Promise.all([...clientKills, talks]);
    const seconds = (performance.now() - began) / 1000;

    const histories = await Promise.all([
      alice.json("history", "bob"),
      bob.json("history", "alice"),
    ]);
    expectSameConversation(histories, texts);
    for (const [index, talker] of talkers.entries())
      expectShownOnce(talker.lives, histories[index] ?? [], ["bob", "alice"][index] ?? "");
    expect(kills).toBeGreaterThan(MESSAGES_EACH / 5_000);
    for (const talker of talkers) expect(talker.kills).toBeGreaterThan(MESSAGES_EACH / 5_000);

    const holes = talkers
      .flatMap(({ lives }) => lives.flat())
      .filter(({ type }) => type === "hole");
    console.log(
      `main job, seed ${SEED}: ${2 * MESSAGES_EACH} accepted, shown once and read; ` +
        `server killed ${kills} times, clients ${talkers.map((one) => one.kills).join(" and ")} times; ` +
        `${holes.length} holes opened; ${seconds.toFixed(1)} s, ` +
        `${((2 * MESSAGES_EACH) / seconds).toFixed(0)} a second`,
    );
  },
  TIME_MS_MAX,
);

async function killServer(
  server: ServerProcess,
  random: () => number,
  life: { readonly over: AbortSignal; readonly by: Talker },
): Promise<number> {
  for (let kills = 0; ; kills++) {
    if (!(await lives(random, SERVER_LIVES_MS, life))) return kills;
    await server.kill();
    await server.start();
  }
}

/** Mostly some time after it is connected, or a busy machine would only ever start it; now and then before. */
async function killTalker(talker: Talker, random: () => number, over: AbortSignal): Promise<void> {
  const isOver = new Promise<void>((resolve) => over.addEventListener("abort", () => resolve()));
  for (;;) {
    if (random() < 0.75) await Promise.race([talker.ready, isOver]);
    if (!(await lives(random, CLIENT_LIVES_MS, { over, by: talker }))) return;
    await talker.kill();
  }
}

/** False: all is done before this life is over. */
async function lives(
  random: () => number,
  [shortest, longest]: readonly [number, number],
  { over, by }: { readonly over: AbortSignal; readonly by: Talker },
): Promise<boolean> {
  await Promise.race([
    pause(between(random, shortest, longest), undefined, { signal: over }).catch(() => {}),
    by.progressed(Math.ceil(2 * MESSAGES_EACH * SHARE_OF_A_LIFE)),
  ]);
  return !over.aborted;
}

function expectSameConversation(
  [atAlice = [], atBob = []]: readonly (readonly JsonObject[])[],
  texts: Record<"alice" | "bob", readonly string[]>,
): void {
  const order = (history: readonly JsonObject[]) =>
    history.map(({ messageId, from, text }) => `${messageId} ${from} ${text}`);
  expect(order(atAlice)).toEqual(order(atBob));
  expect(new Set(atAlice.map(({ messageId }) => messageId)).size).toBe(2 * MESSAGES_EACH);
  for (const name of ["alice", "bob"] as const)
    expect(atAlice.filter(({ from }) => from === name).map(({ text }) => text)).toEqual(
      texts[name],
    );
  for (const history of [atAlice, atBob])
    expect(history.filter(({ status }) => status !== "read")).toEqual([]);
}

/**
 * Within one life of a process nothing is put out twice, and everything is put out in some life. What was
 * put out right before a kill may come once more: a pipe and a disk cannot be written as one.
 */
function expectShownOnce(
  lives: readonly (readonly JsonObject[])[],
  history: readonly JsonObject[],
  other: string,
): void {
  const known = history.filter(({ from }) => from === other).map(({ messageId }) => messageId);
  const shown = lives.map((life) =>
    life.filter(({ type }) => type === "message").map(({ messageId }) => messageId as string),
  );
  for (const life of shown) expect(new Set(life).size).toBe(life.length);
  expect(new Set(shown.flat())).toEqual(new Set(known));
  const all = lives.flat();
  const counted = (wanted: string) =>
    all.filter(({ type }) => type === wanted).reduce((sum, { count }) => sum + count, 0);
  expect(counted("filled")).toBe(counted("hole"));
  expect(all.filter(({ type }) => type === "alarm" || type === "refused")).toEqual([]);
}
