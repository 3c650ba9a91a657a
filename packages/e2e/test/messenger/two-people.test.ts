import { afterEach, beforeEach, expect, test } from "vitest";
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

test("a first message arrives as a request, and is read once it is accepted", async () => {
  const { accountId } = await alice.messenger.resolveHandle("bob");
  expect(accountId).toBe(bob.id);
  const { messageId } = await alice.messenger.sendText(bob.id, "hello");
  expect(await alice.messenger.reached(messageId, "sent")).toBe("sent");
  await bob.until(() => bob.messagesHeard().length === 1);
  const [heard] = bob.messagesHeard();
  expect(heard).toMatchObject({ messageId, request: true, read: false, status: undefined });
  expect(await bob.messenger.contacts()).toMatchObject([{ state: "request", unread: 1 }]);

  await bob.messenger.acceptContact(alice.id);
  expect(await alice.messenger.reached(messageId, "delivered")).toBe("delivered");
  await bob.messenger.markRead([messageId]);
  expect(await alice.messenger.reached(messageId, "read")).toBe("read");
  expect(await bob.messenger.unread()).toEqual([]);
});

test("both see what both write, in one order", async () => {
  await alice.messenger.sendText(bob.id, "a0");
  await bob.messenger.sendText(alice.id, "b0");
  const last: string[] = [];
  for (let i = 1; i <= 40; i++) {
    last[0] = (await alice.messenger.sendText(bob.id, `a${i}`)).messageId;
    last[1] = (await bob.messenger.sendText(alice.id, `b${i}`)).messageId;
  }
  await alice.messenger.reached(last[0] as string, "delivered");
  await bob.messenger.reached(last[1] as string, "delivered");
  const seen = await alice.texts(bob.id);
  expect(seen).toEqual(await bob.texts(alice.id));
  expect(seen.length).toBe(82);
  expect(seen.filter((text) => text.startsWith("a"))).toEqual(
    Array.from({ length: 41 }, (_, i) => `a${i}`),
  );
});

test("a scanned code confirms a safety number, or does not", async () => {
  const [shownByAlice, shownByBob] = [
    await alice.messenger.safetyNumber(bob.id),
    await bob.messenger.safetyNumber(alice.id),
  ];
  expect(shownByAlice.digits).toBe(shownByBob.digits);
  const scan = (code: Uint8Array) => alice.messenger.scanSafetyNumber(bob.id, code);
  expect(await scan(shownByBob.code)).toBe("confirmed");
  expect(await scan(shownByAlice.code)).toBe("different");
  expect(await scan(new TextEncoder().encode("https://example.org"))).toBe("unreadable");
});
