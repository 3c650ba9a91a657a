import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { JsonProcess } from "./fixtures/json-process.ts";
import { twoContacts, twoPeople } from "./fixtures/people.ts";
import { between, SEED, seeded } from "./fixtures/seeded.ts";

const BURST = 40;
const KILLS = 10;
/** From the start of the process: the store opens, the mailbox drains, receipts go out. */
const KILL_AFTER_MS = [80, 700] as const;

test("a client killed anywhere between saving and acknowledging loses and doubles nothing", async () => {
  const random = seeded(SEED);
  const { alice, bob } = await twoContacts();
  const chat = new JsonProcess(alice.spawn("chat", "bob", "--json"));
  await chat.until(({ type }) => type === "ready");

  const sent: string[] = [];
  const shown = new Set<string>();
  let killedWhileReading = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    for (let index = 0; index < BURST; index++) {
      const text = `${kill} ${index}`;
      sent.push(text);
      chat.write({ text });
    }
    const before = shown.size;
    const listening = new JsonProcess(bob.spawn("listen", "--json"), ({ type, text }) => {
      if (type === "message") shown.add(text);
    });
    await pause(between(random, ...KILL_AFTER_MS));
    await listening.kill();
    if (shown.size > before && shown.size < sent.length) killedWhileReading += 1;
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
  console.log(`killed ${KILLS} times, ${killedWhileReading} of them in the middle of a backlog`);
}, 60_000);

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
