import { afterEach, beforeEach, expect, test } from "vitest";
import { House, Person } from "./fixtures.ts";

let house: House;
let alice: Person;
let bob: Person;
let browser: Person;
let code: string;

beforeEach(async () => {
  house = new House();
  alice = new Person(house, "alice");
  bob = new Person(house, "bob");
  browser = new Person(house, "alice's new browser");
  await alice.join();
  await bob.join();
  await browser.open();
  code = (await alice.messenger.pendingRecoveryCode()) as string;
});
afterEach(async () => {
  for (const person of [alice, bob, browser]) await person.close();
  await house.close();
  expect([alice.fatal, bob.fatal, browser.fatal]).toEqual([undefined, undefined, undefined]);
});

test("the code brings the account back and shuts all other devices out, with the same safety number", async () => {
  await alice.messenger.sendText(bob.id, "before");
  await bob.until(() => bob.messagesHeard().length === 1);
  await bob.messenger.acceptContact(alice.id);
  const { digits } = await bob.messenger.safetyNumber(alice.id);

  const accountId = alice.id;
  const recovered = await browser.messenger.recover({
    code: code.toLowerCase(),
    deviceName: "new",
  });
  expect(recovered).toEqual({ accountId, handle: "alice", deviceId: 2 });
  await browser.messenger.caughtUp();
  await alice.until(() => alice.messenger.connectionState.kind === "ended");
  expect(await browser.messenger.devices()).toMatchObject([
    { deviceId: 2, name: "new", thisDevice: true },
  ]);

  const { messageId } = await bob.messenger.sendText(accountId, "is it you?");
  await browser.until(async () => (await browser.texts(bob.id)).length === 1);
  await browser.messenger.acceptContact(bob.id);
  expect(await bob.messenger.reached(messageId, "delivered")).toBe("delivered");
  const answer = await browser.messenger.sendText(bob.id, "it is");
  expect(await browser.messenger.reached(answer.messageId, "delivered")).toBe("delivered");
  expect(await bob.texts(accountId)).toEqual(["before", "is it you?", "it is"]);
  expect((await bob.messenger.safetyNumber(accountId)).digits).toBe(digits);
  expect((await browser.messenger.safetyNumber(bob.id)).digits).toBe(digits);
  expect(await alice.texts(bob.id)).toEqual(["before"]);
});

test("a thief who was linked and threw the owner out is thrown out by the code", async () => {
  const thief = new Person(house, "a thief's device");
  await thief.open();
  const offered = await thief.messenger.offerDevice();
  const taking = await alice.messenger.linkDevice(offered.code);
  const digits = await taking.digits();
  await Promise.all([offered.confirm(digits), taking.confirm(digits)]);
  // The server's rule of seven days says no, whatever the thief's program asks for.
  await expect(thief.messenger.removeDevice(1)).rejects.toMatchObject({ code: "not-allowed" });

  await browser.messenger.recover({ code });
  await thief.until(() => thief.messenger.connectionState.kind === "ended");
  expect(await browser.messenger.devices()).toMatchObject([{ deviceId: 3 }]);
  await thief.close();
});

test("other devices stay where that is asked for", async () => {
  const { deviceId } = await browser.messenger.recover({ code, keepDevices: true });
  expect(deviceId).toBe(2);
  await browser.messenger.caughtUp();
  expect(await browser.messenger.devices()).toHaveLength(2);
  const { messageId } = await bob.messenger.sendText(alice.id, "to both");
  await bob.messenger.reached(messageId, "sent");
  for (const person of [alice, browser])
    await person.until(async () => (await person.texts(bob.id)).length === 1);
});

test("a code is refused that was mistyped, or that is of no account here", async () => {
  const refused = async (typed: string) =>
    await browser.messenger.recover({ code: typed }).then(
      () => "recovered",
      (cause: { code: string }) => cause.code,
    );
  expect(await refused("")).toBe("invalid-recovery-code");
  expect(await refused(code.replace(/^./, (one) => (one === "A" ? "B" : "A")))).toBe(
    "invalid-recovery-code",
  );
  const elsewhere = new House();
  const stranger = new Person(elsewhere, "stranger");
  await stranger.join();
  expect(await refused((await stranger.messenger.pendingRecoveryCode()) as string)).toBe(
    "unknown-account",
  );
  expect(browser.messenger.account).toBeUndefined();
  expect(alice.messenger.connectionState.kind).toBe("online");
  await stranger.close();
  await elsewhere.close();
});

test("what a device had sent before it was shut out is shown, though that is known first", async () => {
  await bob.messenger.sendText(alice.id, "hello");
  await alice.until(() => alice.messagesHeard().length === 1);
  await alice.messenger.acceptContact(bob.id);
  const [aliceId, bobId] = [alice.id, bob.id];
  await bob.close();
  const before = Array.from({ length: 100 }, (_, i) => `before ${i}`);
  let last = "";
  for (const text of before) last = (await alice.messenger.sendText(bobId, text)).messageId;
  await alice.messenger.reached(last, "sent");
  await browser.messenger.recover({ code });
  const { messageId } = await browser.messenger.sendText(bobId, "and behind it");
  await browser.messenger.reached(messageId, "sent");
  // All of it is one batch, with a device of which bob must first learn the list that has it, and no other.
  await bob.open();
  bob.messenger.start();
  await bob.until(async () => (await bob.texts(aliceId)).includes("and behind it"));
  await bob.messenger.caughtUp();
  expect((await bob.texts(aliceId)).toSorted()).toEqual(
    ["hello", ...before, "and behind it"].toSorted(),
  );
});
