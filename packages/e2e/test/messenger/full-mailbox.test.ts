import { SETTINGS_DEFAULT } from "@parley/server";
import { expect, test } from "vitest";
import { type Citizen, Town } from "./town.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function townWith(mailbox: Partial<typeof SETTINGS_DEFAULT.mailbox>): Town {
  return new Town({ mailbox: { ...SETTINGS_DEFAULT.mailbox, ...mailbox } });
}

async function leave(town: Town, person: Citizen): Promise<void> {
  await town.run(person.messenger.close());
}

async function comeBack(person: Citizen): Promise<void> {
  await person.open();
  await person.start();
}

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name} ${i + 1}`);

async function writeAll(from: Citizen, to: Citizen, texts: readonly string[]): Promise<void> {
  for (const text of texts) await from.messenger.sendText(to.id, text);
}

async function shown(town: Town, whose: Citizen, other: Citizen) {
  const history = await town.run(whose.messenger.history(other.id, { limit: 200 }));
  return history.slice(2).map(({ content, status }) => ({
    text: content.kind === "text" ? content.text : "?",
    status,
  }));
}

const textsOf = (rows: readonly { readonly text: string }[]) => rows.map(({ text }) => text);

test("a mailbox that fills while its owner is away loses nothing: what does not fit waits with its sender", async () => {
  const town = townWith({ envelopesMax: 20 });
  const [alice, bob] = await town.friends();
  await leave(town, bob);
  const texts = numbered("text", 50);
  await writeAll(alice, bob, texts);
  await town.pass(10 * 60_000);
  const waiting = await shown(town, alice, bob);
  expect(waiting.filter(({ status }) => status === "sent").length).toBeGreaterThan(10);
  expect(waiting.filter(({ status }) => status === "queued").length).toBeGreaterThanOrEqual(30);
  expect(textsOf(waiting)).toEqual(texts);

  await comeBack(bob);
  await town.pass(5 * 60_000);
  expect(textsOf(await shown(town, bob, alice))).toEqual(texts);
  const heard = bob.heard("message").map(({ message }) => message.messageId);
  expect(new Set(heard).size).toBe(heard.length);
  const arrived = await shown(town, alice, bob);
  expect(arrived.filter(({ status }) => status !== "delivered")).toEqual([]);
  expect(textsOf(arrived)).toEqual(texts);
});

test("while a mailbox is full one send a minute tries, and no more", async () => {
  const town = townWith({ envelopesMax: 5 });
  const [alice, bob] = await town.friends();
  await leave(town, bob);
  await writeAll(alice, bob, numbered("text", 70));
  await town.pass(60_000);
  const before = alice.sent("sendMessage").length;
  await town.pass(30 * 60_000);
  expect(alice.sent("sendMessage").length - before).toBeLessThanOrEqual(31);
});

test("one account does not fill a mailbox alone: others still reach it", async () => {
  const town = townWith({ envelopesPerSourceMax: 10 });
  const [alice, bob] = await town.friends();
  const carol = await town.citizen("carol");
  await carol.says(bob, "hello");
  await bob.says(carol, "hello");
  await leave(town, bob);
  await writeAll(alice, bob, numbered("text", 30));
  await town.pass(60_000);
  await writeAll(carol, bob, ["are you there?"]);
  await town.pass(60_000);
  expect((await shown(town, carol, bob)).at(-1)?.status).toBe("sent");
  expect((await shown(town, alice, bob)).at(-1)?.status).toBe("queued");
  await comeBack(bob);
  await town.pass(5 * 60_000);
  expect(textsOf(await shown(town, bob, alice))).toEqual(numbered("text", 30));
});

test("who was away for longer than mail is kept gets what is written then, once he is back", async () => {
  const town = townWith({ awayMsMax: 2 * DAY_MS });
  const [alice, bob] = await town.friends();
  await leave(town, bob);
  await town.pass(4 * DAY_MS);
  await writeAll(alice, bob, numbered("text", 5));
  await town.pass(60 * 60_000);
  expect((await shown(town, alice, bob)).map(({ status }) => status)).toEqual(
    Array.from({ length: 5 }, () => "queued"),
  );
  await comeBack(bob);
  await town.pass(3 * 60_000);
  expect(textsOf(await shown(town, bob, alice))).toEqual(numbered("text", 5));
});
