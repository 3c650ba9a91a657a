import { cpSync, renameSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { JsonProcess } from "./fixtures/json-process.ts";
import { twoContacts, twoPeople } from "./fixtures/people.ts";
import type { Person } from "./fixtures/person.ts";

/** Before the copy; after it and read; after it and not yet delivered. */
const EACH = 30;

async function chatOf(person: Person, to: string): Promise<JsonProcess> {
  const chat = new JsonProcess(person.spawn("chat", to, "--json"));
  await chat.until(({ type }) => type === "ready");
  return chat;
}

function say(chat: JsonProcess, what: string): string[] {
  const texts = Array.from({ length: EACH }, (_, index) => `${what} ${index}`);
  for (const text of texts) chat.write({ text, ref: text });
  return texts;
}

async function untilAll(
  chat: JsonProcess,
  status: string,
  texts: readonly string[],
): Promise<void> {
  const ids = new Map<string, string>();
  const waited = new Set(texts);
  const far = new Set<string>();
  await chat.until((object) => {
    if (object["ref"]) ids.set(object["messageId"], object["ref"]);
    if (object["type"] === "status" && object["status"] === status) far.add(object["messageId"]);
    for (const id of far) waited.delete(ids.get(id) ?? "");
    return waited.size === 0;
  });
}

test("an old copy of the data folder put back while two people talk loses and doubles nothing", async () => {
  const { server, alice, bob } = await twoPeople();
  const folder = server.dataFolder;
  let [fromAlice, fromBob] = await Promise.all([chatOf(alice, "bob"), chatOf(bob, "alice")]);
  const before = [say(fromAlice, "a before"), say(fromBob, "b before")] as const;
  await Promise.all([untilAll(fromAlice, "read", before[0]), untilAll(fromBob, "read", before[1])]);
  await server.stop();
  cpSync(folder, `${folder}-copy`, { recursive: true });
  await server.start();

  // Accepted and read after the copy; then accepted while the other one is away.
  const read = [say(fromAlice, "a read"), say(fromBob, "b read")] as const;
  await Promise.all([untilAll(fromAlice, "read", read[0]), untilAll(fromBob, "read", read[1])]);
  await fromBob.kill("SIGTERM");
  const waiting = say(fromAlice, "a waiting");
  await untilAll(fromAlice, "sent", waiting);

  await server.kill();
  rmSync(folder, { recursive: true });
  renameSync(`${folder}-copy`, folder);
  await server.start();
  const after = say(fromAlice, "a after");
  fromBob = await chatOf(bob, "alice");
  const answers = say(fromBob, "b after");
  await Promise.all([
    untilAll(fromAlice, "read", [...waiting, ...after]),
    untilAll(fromBob, "read", answers),
  ]);
  fromAlice.endInput();
  fromBob.endInput();
  await Promise.all([fromAlice.ended(), fromBob.ended()]);

  const [atAlice, atBob] = await Promise.all([
    alice.json("history", "bob"),
    bob.json("history", "alice"),
  ]);
  const order = (history: typeof atAlice) => history.map(({ from, text }) => `${from}: ${text}`);
  expect(order(atAlice)).toEqual(order(atBob));
  const textsOf = (name: string) =>
    atAlice.filter(({ from }) => from === name).map(({ text }) => text);
  expect(textsOf("alice")).toEqual([...before[0], ...read[0], ...waiting, ...after]);
  expect(textsOf("bob")).toEqual([...before[1], ...read[1], ...answers]);
  const shown = fromBob.objects.filter(({ type }) => type === "message").map(({ text }) => text);
  expect(shown.sort()).toEqual([...waiting, ...after].sort());
}, 60_000);

test("a retry after the recipient's ack is shown once, and brings its receipt again", async () => {
  const { server, alice, bob } = await twoContacts();
  const folder = server.dataFolder;
  // A receipt that the server accepted and lost: bob's device has acknowledged, alice knows of nothing.
  await server.stop();
  cpSync(folder, `${folder}-copy`, { recursive: true });
  await server.start();
  await alice.json("send", "bob", "once");
  const [, shown] = await bob.json("listen", "--count", "1");
  expect(shown?.["text"]).toBe("once");
  const before = await alice.json("history", "bob", "--offline");
  expect(before.map(({ status }) => status)).toEqual(["sent"]);

  await server.kill();
  rmSync(folder, { recursive: true });
  renameSync(`${folder}-copy`, folder);
  await server.start();
  // The old copy knows neither the message nor its receipt: alice re-offers it, bob's device has it.
  const fromAlice = await chatOf(alice, "bob");
  const fromBob = await chatOf(bob, "alice");
  await fromAlice.until(({ type, status }) => type === "status" && status === "read");
  fromBob.endInput();
  await fromBob.ended();
  expect(fromBob.objects.filter(({ type }) => type === "message")).toEqual([]);
  const atBob = await bob.json("history", "alice", "--offline");
  expect(atBob.map(({ text }) => text)).toEqual(["once"]);
}, 60_000);
