import { watch } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { JsonProcess } from "./fixtures/json-process.ts";
import { twoContacts, twoPeople } from "./fixtures/people.ts";
import { between, SEED, seeded } from "./fixtures/seeded.ts";

const BURST = 40;
const KILLS = 10;
/** Of the store's log, while a process opens it, takes a burst and acknowledges it. */
const WRITES_MAX = 40;

test("a client killed anywhere between saving and acknowledging loses and doubles nothing", async () => {
  const random = seeded(SEED);
  const { alice, bob } = await twoContacts();
  const accepted = new Set<string>();
  const chat = new JsonProcess(alice.spawn("chat", "bob", "--json"), (object) => {
    if (object["type"] === "status" && object["status"] === "sent")
      accepted.add(object["messageId"]);
  });
  await chat.until(({ type }) => type === "ready");

  const sent: string[] = [];
  const shown = new Set<string>();
  let savedAndNotShown = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    for (let index = 0; index < BURST; index++) {
      const text = `${kill} ${index}`;
      sent.push(text);
      chat.write({ text });
    }
    await chat.until(() => accepted.size === sent.length);
    const over = new AbortController();
    const count = Math.ceil(between(random, 0, WRITES_MAX));
    const writes = writesTo(bob.home, count, over.signal);
    const listening = new JsonProcess(bob.spawn("listen", "--json"), ({ type, text }) => {
      if (type === "message") shown.add(text);
    });
    await Promise.race([writes, listening.until(() => shown.size === sent.length)]);
    await listening.kill();
    over.abort();
    const saved = await bob.run("history", "alice", "--json", "--offline");
    if (saved.objects.length > shown.size) savedAndNotShown += 1;
  }
  const listening = new JsonProcess(bob.spawn("listen", "--json"), ({ type, text }) => {
    if (type === "message") shown.add(text);
  });
  const reads = new Set<string>();
  await chat.until(({ type, status, messageId }) => {
    if (type === "status" && status === "read") reads.add(messageId);
    return reads.size === sent.length;
  });
  await listening.kill("SIGTERM");
  chat.endInput();
  await chat.ended();

  const history = await bob.json("history", "alice");
  expect(history.map(({ text }) => text)).toEqual(sent);
  expect(shown).toEqual(new Set(sent));
  console.log(`killed ${KILLS} times, ${savedAndNotShown} with messages saved and not shown`);
}, 60_000);

/** Resolves after so many: each commit of the device is one or more. */
async function writesTo(home: string, count: number, signal: AbortSignal): Promise<void> {
  let left = count;
  for await (const { filename } of watch(home, { signal })) {
    if (filename === "device.sqlite-wal") left -= 1;
    if (left <= 0) return;
  }
}

test("a client killed while it sends goes on where it was, and repeats nothing", async () => {
  const random = seeded(SEED);
  const { alice, bob } = await twoPeople();

  const saved: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const chat = new JsonProcess(alice.spawn("chat", "bob", "--json"));
    await chat.until(({ type }) => type === "ready");
    for (let index = 0; index < BURST; index++)
      chat.write({ text: `${kill} ${index}`, ref: index });
    await pause(between(random, 0, 150));
    await chat.kill();
    for (const { type, status, ref } of chat.objects)
      if (type === "status" && status === "queued") saved.push(`${kill} ${ref}`);
  }
  // What the last life left queued goes out with the next command that connects.
  const [last] = await alice.json("send", "bob", "the end");
  expect(last?.["status"]).toBe("sent");

  const arrived = await bob.json("history", "alice");
  const texts = arrived.map(({ text }) => text);
  const atAlice = await alice.json("history", "bob");
  expect(texts).toEqual(atAlice.map(({ text }) => text));
  expect(new Set(texts).size).toBe(texts.length);
  expect(new Set(texts)).toEqual(new Set(texts).union(new Set(saved)));
}, 60_000);
