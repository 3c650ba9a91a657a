import { afterEach, expect, test, vi } from "vitest";
import { JsonProcess } from "../fixtures/json-process.ts";
import { type Meeting, twoContacts } from "../fixtures/people.ts";
import type { Person } from "../fixtures/person.ts";
import { TerminalProcess } from "../fixtures/terminal-process.ts";

const END_OF_INPUT = "\x04";
/** The server's, so that no test waits for the ten seconds of a real one. */
const GRACE_MS = "100";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Each has a message of the other, and its receipt: so each holds the other's keys. */
async function friends(): Promise<Meeting> {
  vi.stubEnv("PARLEY__PRESENCE__GRACE_MS", GRACE_MS);
  const meeting = await twoContacts();
  const { alice, bob } = meeting;
  await alice.json("send", "bob", "hello");
  await bob.json("listen", "--count", "1");
  await bob.json("send", "alice", "hello");
  await alice.json("listen", "--for", "0");
  return meeting;
}

async function watching(person: Person, handle: string): Promise<JsonProcess> {
  const watch = new JsonProcess(person.spawn("watch", handle, "--json"));
  await watch.until(({ type }) => type === "ready");
  return watch;
}

test("presence tells who sees what, and keeps what is decided, server or not", async () => {
  const { alice, server } = await twoContacts();
  expect(await alice.json("presence")).toEqual([{ visible: "contacts", lastSeen: true }]);
  await alice.json("presence", "--last-seen", "off");
  await server.stop();
  expect(await alice.json("presence", "--visible", "nobody")).toEqual([
    { visible: "nobody", lastSeen: false },
  ]);
  expect((await alice.run("presence")).stdout).toContain("nobody sees when you are online");
  expect((await alice.run("presence", "--visible", "friends")).status).toBe(64);
}, 20_000);

test("watch tells who is online, who is typing, and who was there when", async () => {
  const { alice, bob, accounts } = await friends();
  const watch = await watching(alice, "bob");
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  expect(await watch.until(({ type }) => type === "presence")).toEqual({
    ...{ type: "presence", handle: "bob", online: true, lastSeenAt: null },
  });
  await atBob.untilShown("›");
  atBob.type("well");
  expect(await watch.until(({ type }) => type === "typing")).toEqual({
    ...{ type: "typing", conversation: accounts.bob["accountId"], from: "bob" },
    state: "typing",
  });
  atBob.type("\x15"); // ^U: all of it is gone again.
  await watch.until(({ state }) => state === "stopped");
  const before = Date.now();
  atBob.type(END_OF_INPUT);
  const left = await watch.until(({ online }) => online === false);
  expect(before - left["lastSeenAt"]).toBeGreaterThanOrEqual(0);
  expect(before - left["lastSeenAt"]).toBeLessThan(120_000);
  expect(left["lastSeenAt"] % 60_000).toBe(0);
  await watch.kill("SIGINT");
  expect([watch.status, watch.stderr]).toEqual([0, ""]);
}, 30_000);

test("a chat on a terminal shows who is there and who is typing, in the row above the input", async () => {
  const { alice, bob } = await friends();
  const atAlice = new TerminalProcess(alice, ["chat", "bob"]);
  await atAlice.untilShown("›");
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await atAlice.until(({ screen }) => screen.at(-2) === "bob is online");
  await atBob.until(({ screen }) => screen.at(-2) === "alice is online");
  atBob.type("this is");
  await atAlice.until(({ screen }) => screen.at(-2) === "bob is typing…");
  atBob.type(" it\r");
  await atAlice.until(
    ({ screen }) => screen.at(-3)?.endsWith("bob: this is it") === true && screen.at(-1) === "›",
  );
  expect(atAlice.terminal.screen.at(-2)).toBe("bob is online");
  atBob.type(END_OF_INPUT);
  await atAlice.until(({ screen }) => screen.at(-2)?.startsWith("bob was last here at") === true);
  atAlice.type(END_OF_INPUT);
  expect(await Promise.all([atAlice.ended, atBob.ended])).toEqual([0, 0]);
}, 30_000);

test("what is typed for the program itself is told to nobody", async () => {
  const { alice, bob } = await friends();
  const watch = await watching(alice, "bob");
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await watch.until(({ online }) => online === true);
  await atBob.untilShown("›");
  atBob.type("/help\r");
  await atBob.untilShown("/quit");
  atBob.type("so\r");
  await watch.until(({ type }) => type === "typing");
  expect(watch.objects.filter(({ type }) => type === "typing")).toHaveLength(1);
}, 30_000);

test("listen and chat tell of typing with --live, and not without", async () => {
  const { alice, bob, accounts } = await friends();
  const chat = new JsonProcess(bob.spawn("chat", "alice", "--json", "--live"));
  await chat.until(({ type }) => type === "ready");
  const live = new JsonProcess(alice.spawn("listen", "--json", "--live"));
  await live.until(({ type }) => type === "ready");
  chat.write({ typing: "recording" });
  chat.write({ typing: "dancing" });
  expect(await chat.until(({ type }) => type === "refused")).toMatchObject({ code: "malformed" });
  expect(await live.until(({ type }) => type === "typing")).toEqual({
    ...{ type: "typing", conversation: accounts.bob["accountId"], from: "bob" },
    state: "recording",
  });
  chat.write({ text: "done" });
  await live.until(({ text }) => text === "done");
  await live.kill("SIGINT");
  const plain = new JsonProcess(alice.spawn("listen", "--json"));
  await plain.until(({ type }) => type === "ready");
  chat.write({ typing: "typing" });
  chat.write({ text: "unseen" });
  await plain.until(({ text }) => text === "unseen");
  expect(plain.objects.map(({ type }) => type)).not.toContain("typing");
}, 30_000);

test("who hides is seen by nobody, and may not watch", async () => {
  const { alice, bob } = await friends();
  await bob.json("presence", "--visible", "nobody");
  const watch = await watching(alice, "bob");
  const atBob = new TerminalProcess(bob, ["chat", "alice"]);
  await atBob.until(({ screen }) => screen.at(-1) === "›");
  atBob.type("you do not see me, but that I write\r");
  await watch.until(({ type }) => type === "typing");
  atBob.type(END_OF_INPUT);
  await atBob.ended;
  expect(watch.objects.filter(({ type }) => type === "presence")).toEqual([]);
  const ran = await bob.run("watch", "alice");
  expect([ran.status, ran.stdout]).toEqual([77, ""]);
  expect(ran.stderr).toContain("presence --visible contacts");
}, 30_000);
