import { expect, test } from "vitest";
import { JsonProcess } from "../fixtures/json-process.ts";
import { twoContacts, twoPeople } from "../fixtures/people.ts";
import { ranOf } from "../fixtures/person.ts";

test("listen says that it is ready, then what arrived since it last ran, once", async () => {
  const { alice, bob, accounts } = await twoContacts();
  await alice.json("send", "bob", "first");
  await alice.json("send", "bob", "second");
  const objects = await bob.json("listen", "--for", "1");
  expect(objects).toMatchObject([{ type: "ready" }, { text: "first" }, { text: "second" }]);
  expect(objects[1]).toEqual({
    type: "message",
    messageId: expect.stringMatching(/^[0-9a-f]{32}$/),
    conversation: accounts.alice["accountId"],
    from: "alice",
    text: "first",
    sentAt: expect.any(Number),
  });
  expect(await bob.json("listen", "--for", "0")).toEqual([{ type: "ready" }]);
  const history = await alice.json("history", "bob");
  expect(history.map(({ status }) => status)).toEqual(["read", "read"]);
});

test("listen puts out what arrived while other commands were connected", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "while he writes");
  await bob.json("send", "alice", "hm");
  const [, message] = await bob.json("listen", "--count", "1");
  expect(message?.["text"]).toBe("while he writes");
});

test("listen marks what strangers write as requests, and leaves it unread", async () => {
  const { alice, bob } = await twoPeople();
  await alice.json("send", "bob", "you do not know me");
  const [, message] = await bob.json("listen", "--count", "1");
  expect(message).toMatchObject({ text: "you do not know me", request: true });
  expect(await bob.json("listen", "--for", "1")).toEqual([{ type: "ready" }]);
  expect((await alice.json("history", "bob"))[0]?.["status"]).toBe("sent");

  // Accepted, what was shown is read, and its sender hears of it.
  await bob.json("contacts", "accept", "alice");
  expect(await bob.json("listen", "--for", "1")).toEqual([{ type: "ready" }]);
  expect((await alice.json("history", "bob"))[0]?.["status"]).toBe("read");
});

test("listen --unread leaves what it puts out unread, and does not put it out again", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "secretly read");
  const [, message] = await bob.json("listen", "--unread", "--count", "1");
  expect(message?.["text"]).toBe("secretly read");
  expect(message).not.toHaveProperty("request");
  expect(await bob.json("listen", "--unread", "--for", "0")).toEqual([{ type: "ready" }]);
  expect((await alice.json("history", "bob"))[0]?.["status"]).toBe("delivered");
});

test("listen tells how far own messages come", async () => {
  const { alice, bob } = await twoContacts();
  const [sent] = await alice.json("send", "bob", "look");
  const listening = new JsonProcess(alice.spawn("listen", "--json"));
  await listening.until(({ type }) => type === "ready");
  await bob.json("listen", "--count", "1");
  const event = await listening.until(({ status }) => status === "read");
  expect(event).toEqual({ type: "status", messageId: sent?.["messageId"], status: "read" });
});

test("listen ends with 0 when it is asked to, and with 69 where it was never ready", async () => {
  const { alice, server } = await twoPeople();
  const listening = new JsonProcess(alice.spawn("listen", "--json"));
  await listening.until(({ type }) => type === "ready");
  await listening.kill("SIGINT");
  expect(listening.status).toBe(0);
  await server.stop();
  expect((await alice.run("listen", "--json")).status).toBe(69);
}, 20_000);

test("listen keeps on over a restart of the server", async () => {
  const { alice, bob, server } = await twoContacts();
  const listening = new JsonProcess(bob.spawn("listen", "--json"));
  await listening.until(({ type }) => type === "ready");
  await server.kill();
  await server.start();
  await alice.json("send", "bob", "still there?");
  await listening.until(({ text }) => text === "still there?");
}, 20_000);

test("a home that is in use ends every other command with 75", async () => {
  const { alice } = await twoPeople();
  const listening = new JsonProcess(alice.spawn("listen", "--json"));
  await listening.until(({ type }) => type === "ready");
  for (const args of [["send", "bob", "hi"], ["listen"], ["history", "bob"], ["contacts"]])
    expect([args, (await alice.run(...args)).status]).toEqual([args, 75]);
});

test("what a killed listen had not got rid of, because nobody read, is put out by the next", async () => {
  const { alice, bob } = await twoContacts();
  const unread = bob.spawn("listen", "--json");
  const sending = new JsonProcess(alice.spawn("chat", "bob", "--json"));
  await sending.until(({ type }) => type === "ready");
  // Far more than a pipe holds.
  const texts = Array.from({ length: 30 }, (_, number) => `${number} ${"x".repeat(60_000)}`);
  for (const text of texts) sending.write({ text });
  const arrived = new Set<string>();
  await sending.until(({ status, messageId }) => {
    if (status === "delivered" || status === "read") arrived.add(messageId);
    return arrived.size === texts.length;
  });
  unread.kill("SIGKILL");
  const first = (await ranOf(unread)).stdout.split("\n");
  expect(first.length).toBeLessThan(texts.length);
  const second = await bob.json("listen", "--for", "1");
  const shown = new Set([...first.slice(0, -1).map(textIn), ...second.map(({ text }) => text)]);
  expect([...shown].filter((text) => text !== undefined)).toEqual(texts);
}, 30_000);

const textIn = (line: string): unknown => JSON.parse(line).text;
