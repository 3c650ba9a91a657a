import { expect, test } from "vitest";
import { JsonProcess } from "../fixtures/json-process.ts";
import { twoContacts, twoPeople } from "../fixtures/people.ts";

test("send ends once the server has the message, and gives its id and status", async () => {
  const { alice, bob } = await twoPeople();
  const [sent] = await alice.json("send", "bob", "hello");
  expect(sent).toEqual({ messageId: expect.stringMatching(/^[0-9a-f]{32}$/), status: "sent" });
  expect(await bob.json("history", "alice")).toMatchObject([
    { messageId: sent?.["messageId"], from: "alice", text: "hello" },
  ]);
});

test("send takes standard input to the byte", async () => {
  const { alice, bob } = await twoPeople();
  const text = "\n two lines\r\n\tand a tab \u{1f600}\n\n";
  const ran = await alice.runWithInput(["send", "bob", "-", "--json"], text);
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  const [message] = await bob.json("history", "alice");
  expect(message?.["text"]).toBe(text);
});

test("send --wait ends once the message is delivered, and once it is read", async () => {
  const { alice, bob } = await twoContacts();
  const listening = new JsonProcess(bob.spawn("listen", "--json", "--unread"));
  await listening.until(({ type }) => type === "ready");
  const [delivered] = await alice.json("send", "bob", "one", "--wait", "delivered");
  expect(delivered?.["status"]).toBe("delivered");
  await listening.kill("SIGTERM");

  const read = alice.json("send", "bob", "two", "--wait", "read");
  const [, shown] = await bob.json("listen", "--count", "1");
  expect(shown?.["text"]).toBe("two");
  expect((await read)[0]?.["status"]).toBe("read");
});

test("send --timeout ends with 75 and how far the message came", async () => {
  const { alice } = await twoPeople();
  const ran = await alice.run("send", "bob", "hi", "--wait", "read", "--timeout", "1", "--json");
  expect([ran.status, ran.objects]).toEqual([
    75,
    [{ messageId: expect.any(String), status: "sent" }],
  ]);
});

test("send refuses with 65 an unknown handle, too long a text, no text, and what is no UTF-8", async () => {
  const { alice } = await twoPeople();
  expect((await alice.run("send", "nobody", "hi")).status).toBe(65);
  expect((await alice.run("send", "bob", "")).status).toBe(65);
  expect((await alice.runWithInput(["send", "bob", "-"], "x".repeat(65_537))).status).toBe(65);
  expect((await alice.runWithInput(["send", "bob", "-"], Buffer.of(0xff, 0xfe))).status).toBe(65);
  expect((await alice.runWithInput(["send", "bob", "-"], "x".repeat(65_536))).status).toBe(0);
});

test("send ends with 69 where the server cannot be reached, and has saved nothing", async () => {
  const { alice, bob, server } = await twoPeople();
  await server.stop();
  const ran = await alice.run("send", "bob", "lost?", "--json");
  expect([ran.status, ran.stdout]).toEqual([69, ""]);
  await server.start();
  await alice.json("send", "bob", "second try");
  expect((await bob.json("history", "alice")).map(({ text }) => text)).toEqual(["second try"]);
}, 20_000);

test("send and verify refuse oneself with 65, in words", async () => {
  const { alice } = await twoPeople();
  for (const args of [
    ["send", "Alice", "me"],
    ["verify", "alice"],
  ]) {
    const ran = await alice.run(...args);
    expect([ran.status, ran.stdout]).toEqual([65, ""]);
    expect(ran.stderr).toMatch(/alice is you/i);
  }
});

test("send ends with 77 towards somebody who is blocked", async () => {
  const { alice } = await twoPeople();
  await alice.json("contacts", "block", "bob");
  expect((await alice.run("send", "bob", "hi")).status).toBe(77);
});

test("every command ends with 64 where nobody has signed up, and where its words are wrong", async () => {
  const { alice } = await twoPeople();
  for (const args of [
    ["send", "bob"],
    ["send", "bob", "hi", "--wait", "whatever"],
    ["listen", "--count", "0"],
    ["listen", "--for", "soon"],
    ["nonsense"],
    [],
  ])
    expect([args, (await alice.run(...args)).status]).toEqual([args, 64]);
  for (const args of [["send", "bob", "hi"], ["listen"], ["history", "bob"], ["contacts"]]) {
    const ran = await alice.run(...args, "--home", `${alice.home}-empty`);
    expect([args, ran.status]).toEqual([args, 64]);
  }
});
