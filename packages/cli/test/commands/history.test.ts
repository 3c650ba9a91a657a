import { expect, test } from "vitest";
import { twoContacts } from "../fixtures/people.ts";

test("history gives the conversation in the order of the screen, the same on both sides", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "one");
  await bob.json("send", "alice", "two");
  await alice.json("send", "bob", "three");
  const atBob = await bob.json("history", "alice");
  expect(atBob.map(({ from, text }) => `${from}: ${text}`)).toEqual([
    "alice: one",
    "bob: two",
    "alice: three",
  ]);
  const atAlice = await alice.json("history", "bob");
  expect(atAlice.map(({ messageId }) => messageId)).toEqual(
    atBob.map(({ messageId }) => messageId),
  );
  expect(await alice.json("history", "bob", "--last", "1")).toMatchObject([{ text: "three" }]);
});

test("history marks nothing as read", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "one");
  const [seen] = await bob.json("history", "alice");
  expect(seen?.["status"]).toBe("delivered");
  const [, message] = await bob.json("listen", "--count", "1");
  expect(message?.["text"]).toBe("one");
  const [again] = await bob.json("history", "alice");
  expect(again?.["status"]).toBe("read");
});

test("history shows what is here without a server", async () => {
  const { alice, server } = await twoContacts();
  await alice.json("send", "bob", "kept");
  await server.stop();
  const ran = await alice.run("history", "bob");
  expect(ran.status).toBe(0);
  expect(ran.stdout).toMatch(/^\d\d:\d\d ✓ you: kept\n$/);
  expect(ran.stderr).toContain("cannot be reached");
  expect(await alice.json("history", "bob", "--offline")).toMatchObject([{ text: "kept" }]);
}, 20_000);

test("nobody drives another's terminal: what could is shown in place of being obeyed", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "\u001b[2J\u001b]0;owned\u0007\u009b31m");
  for (const args of [
    ["history", "alice"],
    ["listen", "--count", "1"],
  ]) {
    const ran = await bob.run(...args);
    expect(ran.stdout).toContain("␛[2J␛]0;owned␇");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(ran.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});
