import { expect, test } from "vitest";
import { JsonProcess } from "./fixtures/json-process.ts";
import { twoContacts, twoPeople } from "./fixtures/people.ts";
import { TerminalProcess } from "./fixtures/terminal-process.ts";

const ENTER = "\r";
const END_OF_INPUT = "\x04";
const BLUE_TICKS = "\x1b[94m\x1b[1m✓✓";

test("two people talk in two terminals, and ticks change where they stand", async () => {
  const { alice, bob } = await twoPeople();
  const atAlice = new TerminalProcess(alice, ["chat", "bob"]);
  await atAlice.untilShown("›");
  atAlice.type(`hello bob${ENTER}`);
  await atAlice.untilShown("✓ you: hello bob");

  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await atBob.untilShown("alice: hello bob");
  expect(atBob.terminal.text).toContain("a stranger");
  atBob.type(`שלום 👋${ENTER}`);
  await atAlice.untilShown("bob: שלום 👋");
  await atAlice.untilShown("✓✓ you: hello bob");
  await atAlice.until(() => atAlice.written.includes(BLUE_TICKS));
  await atBob.until(() => atBob.written.includes(BLUE_TICKS));

  // One row a message, whatever became of its ticks.
  for (const { terminal } of [atAlice, atBob]) {
    expect(terminal.text.match(/hello bob/g)).toHaveLength(1);
    expect(terminal.text.match(/שלום/g)).toHaveLength(1);
    expect(terminal.screen.at(-1)).toBe("›");
  }
  for (const one of [atAlice, atBob]) one.type(END_OF_INPUT);
  expect(await Promise.all([atAlice.ended, atBob.ended])).toEqual([0, 0]);
}, 30_000);

test("what arrives does not tear the line that is being typed", async () => {
  const { alice, bob } = await twoContacts();
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await atBob.untilShown("›");
  atBob.type("half a sen");
  await atBob.untilShown("› half a sen");
  for (const number of [1, 2, 3])
    await alice.json("send", "bob", `wide 漢字 👩‍👩‍👧‍👦 text ${number} `.repeat(6));
  await atBob.untilShown("text 3");
  expect(atBob.terminal.screen.at(-1)).toBe("› half a sen");
  atBob.type(`tence${ENTER}`);
  await atBob.untilShown("you: half a sentence");
  atBob.type(END_OF_INPUT);
  await atBob.ended;
}, 30_000);

test("the history stands above, and its hostile texts drive nothing", async () => {
  const { alice, bob } = await twoContacts();
  await alice.json("send", "bob", "\u001b[2J\u001b[Hgone\u0007\u009b2J");
  await bob.json("send", "alice", "what?");
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await atBob.untilShown("you: what?");
  expect(atBob.terminal.text).toContain("alice: ␛[2J␛[Hgone␇");
  atBob.type(END_OF_INPUT);
  await atBob.ended;
}, 30_000);

test("it begins without a server, says so, and goes on when there is one", async () => {
  const { alice, bob, server } = await twoContacts();
  await alice.json("send", "bob", "before");
  await server.stop();
  const atAlice = new TerminalProcess(alice, ["chat", "bob"]);
  await atAlice.untilShown("you: before");
  await atAlice.untilShown("(offline) ›");
  atAlice.type(`while offline${ENTER}`);
  await atAlice.untilShown("◷ you: while offline");
  atAlice.type(END_OF_INPUT);
  await atAlice.untilShown("1 message waits on this device");
  expect(await atAlice.ended).toBe(0);
  const again = new TerminalProcess(alice, ["chat", "bob"]);
  await again.untilShown("◷ you: while offline");
  await server.start();
  await again.untilShown("✓ you: while offline");
  again.type(END_OF_INPUT);
  await again.ended;
  expect(again.terminal.text).not.toContain("on this device");
  const atBob = await bob.json("history", "alice");
  expect(atBob.map(({ text }) => text)).toEqual(["before", "while offline"]);
}, 30_000);

test("NO_COLOR is obeyed, and a word tells read from delivered", async () => {
  const { alice, bob } = await twoContacts();
  const atAlice = new TerminalProcess(alice, ["chat", "bob"], { NO_COLOR: "1" });
  await atAlice.untilShown("›");
  atAlice.type(`plain${ENTER}`);
  await atAlice.untilShown("✓ you: plain");
  await bob.json("listen", "--count", "1");
  await atAlice.untilShown("✓✓ read you: plain");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin so
  expect(atAlice.written).not.toMatch(/\x1b\[[\d;]*m/);
  atAlice.type(END_OF_INPUT);
  await atAlice.ended;
}, 30_000);

test("a terminal that can only print gets a line for each thing that happens", async () => {
  const { alice, bob } = await twoContacts();
  const atAlice = new TerminalProcess(alice, ["chat", "bob"], { TERM: "dumb" });
  atAlice.type("hello\n");
  await atAlice.untilShown("✓ sent  hello");
  await bob.json("send", "alice", "hi");
  await atAlice.untilShown("bob: hi");
  expect(atAlice.written).not.toContain("\x1b");
  atAlice.type(END_OF_INPUT);
  expect(await atAlice.ended).toBe(0);
}, 30_000);

test("each line of a pipe is a message, and the end of the input waits until all are sent", async () => {
  const { alice, bob } = await twoContacts();
  const ran = await alice.runWithInput(["chat", "bob"], "one\n\n//two\n/help\nthree");
  expect(ran.status).toBe(0);
  expect(ran.stdout).toContain("/quit");
  const atBob = await bob.json("history", "alice");
  expect(atBob.map(({ text }) => text)).toEqual(["one", "/two", "three"]);
});

test("with --json objects go in and out, and what is refused says why", async () => {
  const { alice, bob } = await twoContacts();
  const chat = new JsonProcess(alice.spawn("chat", "bob", "--json"));
  await chat.until(({ type }) => type === "ready");
  chat.write({ text: "a\nb", ref: 1 });
  const queued = await chat.until(({ ref }) => ref === 1);
  expect(queued).toMatchObject({ type: "status", status: "queued" });
  chat.write({ text: "re", replyTo: queued["messageId"], ref: 2 });
  chat.write({ text: "x".repeat(65_537), ref: 3 });
  chat.write({ words: "none" });
  expect(await chat.until(({ ref }) => ref === 3)).toMatchObject({
    type: "refused",
    code: "text-too-long",
  });
  await chat.until(({ code }) => code === "malformed");
  chat.endInput();
  await chat.ended();
  expect(chat.status).toBe(0);
  expect(await bob.json("history", "alice")).toMatchObject([
    { text: "a\nb" },
    { text: "re", replyTo: queued["messageId"] },
  ]);
});
