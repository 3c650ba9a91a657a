import { expect, test } from "vitest";
import { twoContacts } from "../fixtures/people.ts";
import { Person } from "../fixtures/person.ts";

test("recover brings the account back on another device, and shuts the lost one out", async () => {
  const { server, alice, bob, accounts } = await twoContacts();
  await bob.json("send", "alice", "hello");
  await alice.json("send", "bob", "before");
  const browser = new Person("browser");
  const where = ["--server", server.url, "--code", String(accounts.alice["recoveryCode"])];
  const [recovered] = await browser.json("recover", ...where, "--device-name", "browser");
  const accountId = accounts.alice["accountId"];
  expect(recovered).toEqual({ accountId, handle: "alice", deviceId: 2 });
  expect(await browser.json("devices")).toMatchObject([
    { deviceId: 2, name: "browser", thisDevice: true },
  ]);
  await browser.json("send", "bob", "from the browser");
  await bob.json("listen", "--for", "1");
  const texts = (await bob.json("history", "alice")).map(({ text }) => text);
  // The browser has never heard of what was said before, and sorts where it can.
  expect(texts.toSorted()).toEqual(["before", "from the browser", "hello"]);
  expect((await alice.run("send", "bob", "from the lost one")).status).toBe(77);
});

test("recover ends with 65 for a code that is mistyped, and for one of no account there", async () => {
  const { server } = await twoContacts();
  const browser = new Person("browser");
  const recover = (code: string) => browser.run("recover", "--server", server.url, "--code", code);
  expect((await recover("7K2M")).status).toBe(65);
  const other = await twoContacts();
  const ran = await recover(String(other.accounts.alice["recoveryCode"]));
  expect([ran.status, ran.stderr]).toEqual([65, expect.stringContaining("no account")]);
  expect((await browser.run("contacts")).status).toBe(64);
});
