import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import type { ClientStore } from "@parley/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withOwn } from "../../src/world/mailbox-watch.ts";
import { House, Person } from "./fixtures.ts";

let house: House;
let alice: Person;
let bob: Person;

beforeEach(async () => {
  house = new House();
  alice = new Person(house, "alice");
  bob = new Person(house, "bob");
  await alice.join();
  await bob.join();
});
afterEach(async () => {
  await alice.close();
  await bob.close();
  await house.close();
  expect([alice.fatal, bob.fatal]).toEqual([undefined, undefined]);
});

test("content of a kind that came later is kept whole, shown as unknown, and receipted", async () => {
  await alice.messenger.sendText(bob.id, "before");
  await alice.close();
  alice.storeOf = ofTomorrow;
  await alice.open();
  alice.messenger.start();
  const { messageId } = await alice.messenger.sendText(bob.id, "nobody can read this yet");
  await alice.messenger.reached(messageId, "sent");
  await alice.close();
  alice.storeOf = (store) => store;
  await alice.open();
  alice.messenger.start();
  await alice.messenger.sendText(bob.id, "after", { replyTo: messageId });

  await bob.until(() => bob.messagesHeard().length === 3);
  expect(bob.messagesHeard()[1]).toMatchObject({ messageId, content: { kind: "unknown" } });
  await bob.restart();
  const shown = await bob.messenger.history(alice.id);
  expect(shown.map(({ content }) => content)).toEqual([
    { kind: "text", text: "before", replyTo: undefined },
    { kind: "unknown" },
    { kind: "text", text: "after", replyTo: messageId },
  ]);
  expect(await bob.texts(alice.id)).toEqual(await alice.texts(bob.id));
  // A newer version of the program will find in it what this one does not understand.
  const entries = (await bob.store.range("entries", {})).map(({ value }) => Buffer.from(value));
  expect(entries.filter((entry) => entry.includes("nobody can read this yet"))).toHaveLength(1);

  await bob.messenger.acceptContact(alice.id);
  await bob.messenger.markRead([messageId]);
  expect(await alice.messenger.reached(messageId, "read")).toBe("read");
});

// Of the client's UnsentEntry, and of EntryBody; the last is in use by nobody.
const BODY_FIELD = 3;
const TEXT_FIELD = 10;
const LATER_FIELD = 1000;

/** What is typed on it lies there as a newer client would write it: under a kind that this one does not know. */
function ofTomorrow(store: ClientStore): ClientStore {
  const ofLater = (body: Uint8Array) =>
    rewritten(body, (field, raw) => [field === TEXT_FIELD ? LATER_FIELD : field, raw]);
  return withOwn(store, {
    commit: (changes) =>
      store.commit(
        changes.map((change) =>
          change.table === "vault-unsent" && change.value !== undefined
            ? { ...change, value: rewritten(change.value, withBody(ofLater)) }
            : change,
        ),
      ),
  });
}

type Rewrite = (field: number, raw: Uint8Array) => [field: number, raw: Uint8Array];

function withBody(change: (body: Uint8Array) => Uint8Array): Rewrite {
  return (field, raw) =>
    field === BODY_FIELD
      ? [field, new BinaryWriter().bytes(change(new BinaryReader(raw).bytes())).finish()]
      : [field, raw];
}

/** Field by field; `raw` is a field's value as it stands on the wire, with its length. */
function rewritten(message: Uint8Array, rewrite: Rewrite): Uint8Array {
  const reader = new BinaryReader(message);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const [to, raw] = rewrite(field, reader.skip(type, field));
    writer.tag(to, type as WireType).raw(raw);
  }
  return writer.finish();
}
