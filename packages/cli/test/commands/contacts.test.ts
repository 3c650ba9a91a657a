import { expect, test } from "vitest";
import { twoPeople } from "../fixtures/people.ts";
import { Person } from "../fixtures/person.ts";

test("contacts lists who is known; writing to somebody accepts him", async () => {
  const { alice, bob, accounts } = await twoPeople();
  await alice.json("send", "bob", "hello");
  expect(await alice.json("contacts")).toMatchObject([
    { accountId: accounts.bob["accountId"], handle: "bob", state: "accepted", unread: 0 },
  ]);
  expect(await bob.json("contacts")).toMatchObject([
    { accountId: accounts.alice["accountId"], handle: "alice", state: "request", unread: 1 },
  ]);
  await bob.json("send", "alice", "hello you");
  expect(await bob.json("contacts")).toMatchObject([{ handle: "alice", state: "accepted" }]);
});

test("contacts accept and block change how a contact stands, before or behind their options", async () => {
  const { alice, bob } = await twoPeople();
  await alice.json("send", "bob", "hello");
  const [accepted] = await bob.json("contacts", "accept", "alice");
  expect(accepted).toMatchObject({ handle: "alice", state: "accepted" });
  const ran = await bob.run("contacts", "--json", "block", "alice");
  expect(ran.objects).toMatchObject([{ handle: "alice", state: "blocked" }]);
});

test("nothing that a blocked account writes is put out", async () => {
  const { alice, bob } = await twoPeople();
  await bob.json("contacts", "block", "alice");
  await alice.json("send", "bob", "hello?");
  expect(await bob.json("listen", "--for", "1")).toEqual([{ type: "ready" }]);
});

test("contacts name keeps a name of one's own", async () => {
  const { alice } = await twoPeople();
  const [named] = await alice.json("contacts", "name", "bob", "Bobby \u001b[31m");
  expect(named).toMatchObject({ handle: "bob", localName: "Bobby \u001b[31m" });
  const ran = await alice.run("contacts");
  expect(ran.stdout).toContain("Bobby ␛[31m");
});

test("contacts ends with 65 for a handle that nobody has", async () => {
  const { alice } = await twoPeople();
  expect((await alice.run("contacts", "accept", "nobody")).status).toBe(65);
});

test("verify shows both the same 60 digits, and remembers that they were compared", async () => {
  const { alice, bob, server } = await twoPeople();
  const [atAlice] = await alice.json("verify", "bob");
  const [atBob] = await bob.json("verify", "alice");
  const digits = String(atAlice?.["safetyNumber"]).replaceAll(" ", "");
  expect(digits).toMatch(/^\d{60}$/);
  expect(atBob?.["safetyNumber"]).toBe(atAlice?.["safetyNumber"]);
  expect(atAlice?.["trust"]).toBe("unverified");
  const [marked] = await alice.json("verify", "bob", "--mark");
  expect(marked?.["trust"]).toBe("verified");
  const ran = await alice.run("verify", "bob");
  expect(ran.stdout.match(/\b\d{5}\b/g)?.join("")).toBe(digits);
  expect(ran.stdout).toContain("verified");

  const carol = new Person("carol");
  await carol.signUp(server.url);
  const [other] = await alice.json("verify", "carol");
  expect(other?.["safetyNumber"]).not.toBe(atAlice?.["safetyNumber"]);
});
