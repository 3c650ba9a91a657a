import { afterEach, beforeEach, expect, test } from "vitest";
import { House, Person, textOf } from "./fixtures.ts";

let house: House;
let alice: Person;
let bob: Person;
let tablet: Person;

beforeEach(async () => {
  house = new House();
  alice = new Person(house, "alice");
  bob = new Person(house, "bob");
  tablet = new Person(house, "alice's tablet");
  await alice.join();
  await bob.join();
  await tablet.open();
});
afterEach(async () => {
  for (const person of [alice, bob, tablet]) await person.close();
  await house.close();
  expect([alice.fatal, bob.fatal, tablet.fatal]).toEqual([undefined, undefined, undefined]);
});

/** Both people read out what they see. */
async function link(from: Person, to: Person, deviceName = "tablet"): Promise<number> {
  const offered = await to.messenger.offerDevice({ deviceName });
  const taking = await from.messenger.linkDevice(offered.code);
  const [shownHere, shownThere] = [await taking.digits(), await offered.digits()];
  expect(shownHere).toMatch(/^\d{6}$/);
  expect(shownThere).toBe(shownHere);
  const [linked, { deviceId }] = await Promise.all([
    offered.confirm(shownHere),
    taking.confirm(shownThere),
  ]);
  expect(linked).toMatchObject({ accountId: from.id, handle: "alice", deviceId });
  return deviceId;
}

async function say(from: Person, to: Person, text: string): Promise<void> {
  const { messageId } = await from.messenger.sendText(to.id, text);
  await from.messenger.reached(messageId, "delivered");
}

test("a linked device knows the account's people, and both write in one order", async () => {
  await alice.messenger.sendText(bob.id, "before");
  await bob.until(() => bob.messagesHeard().length === 1);
  await bob.messenger.acceptContact(alice.id);
  await say(bob, alice, "and this");
  await alice.messenger.nameContact(bob.id, "Bobby");
  await alice.messenger.markVerified(bob.id, true);

  expect(await link(alice, tablet)).toBe(2);
  expect(await tablet.messenger.contacts()).toMatchObject([
    { accountId: bob.id, handle: "bob", localName: "Bobby", state: "accepted", trust: "verified" },
  ]);
  const { digits } = await tablet.messenger.safetyNumber(bob.id);
  expect(digits).toBe((await alice.messenger.safetyNumber(bob.id)).digits);

  await say(tablet, bob, "from the tablet");
  await say(bob, alice, "to both");
  await say(alice, bob, "from the telephone");
  const written = ["from the tablet", "to both", "from the telephone"];
  await tablet.until(async () => (await tablet.texts(bob.id)).length === 3);
  await alice.until(async () => (await alice.texts(bob.id)).length === 5);
  expect(await tablet.texts(bob.id)).toEqual(written);
  expect(await alice.texts(bob.id)).toEqual(["before", "and this", ...written]);
  expect(await bob.texts(alice.id)).toEqual(["before", "and this", ...written]);
  const [first] = await alice.messenger.history(bob.id, { limit: 1 });
  expect(first && textOf(first)).toBe("from the telephone");
  const ownCopy = async () =>
    (await alice.messenger.history(bob.id)).find((one) => textOf(one) === written[0]);
  expect((await ownCopy())?.from.mine).toBe(true);
  await alice.until(async () => (await ownCopy())?.status === "delivered");
});

test("what another own device has sent is sent, also where nobody has it yet", async () => {
  await bob.messenger.sendText(alice.id, "hello");
  await alice.until(() => alice.messagesHeard().length === 1);
  await alice.messenger.acceptContact(bob.id);
  await link(alice, tablet);
  const bobId = bob.id;
  await bob.close();
  await tablet.messenger.sendText(bobId, "from the tablet");
  await alice.until(async () => (await alice.texts(bobId)).length === 2);
  expect((await alice.messenger.history(bobId)).at(-1)?.status).toBe("sent");
});

test("devices are listed by name on each of them, and one can remove the other", async () => {
  const deviceId = await link(alice, tablet);
  for (const [person, own] of [
    [alice, 1],
    [tablet, 2],
  ] as const)
    expect(await person.messenger.devices()).toMatchObject([
      { deviceId: 1, name: undefined, thisDevice: own === 1 },
      { deviceId: 2, name: "tablet", thisDevice: own === 2 },
    ]);
  await bob.messenger.acceptContact(alice.id);
  await say(alice, bob, "hello");
  await tablet.until(async () => (await tablet.texts(bob.id)).length === 1);

  await alice.messenger.removeDevice(deviceId);
  await tablet.until(() => tablet.messenger.connectionState.kind === "ended");
  expect(await alice.messenger.devices()).toMatchObject([{ deviceId: 1 }]);
  await say(bob, alice, "behind it");
  expect(await tablet.texts(bob.id)).toEqual(["hello"]);
  await expect(alice.messenger.removeDevice(1)).rejects.toMatchObject({ code: "not-allowed" });
  await expect(alice.messenger.removeDevice(9)).rejects.toMatchObject({ code: "not-allowed" });
});

test("other digits link nothing, on either side", async () => {
  for (const wrongSide of ["new", "old"] as const) {
    const offered = await tablet.messenger.offerDevice();
    const taking = await alice.messenger.linkDevice(offered.code);
    const digits = await taking.digits();
    const wrong = digits === "000000" ? "000001" : "000000";
    const side = wrongSide === "new" ? offered : taking;
    await expect(side.confirm(wrong)).rejects.toMatchObject({ code: "digits-differ" });
    expect(await alice.messenger.devices()).toHaveLength(1);
    expect(tablet.messenger.account).toBeUndefined();
  }
});

test("a code is refused that was mistyped, or that nobody shows", async () => {
  const { code } = await tablet.messenger.offerDevice();
  const refused = async (typed: string) =>
    await alice.messenger.linkDevice(typed).then(
      () => "linked",
      (cause: { code: string }) => cause.code,
    );
  expect(await refused("")).toBe("invalid-link-code");
  expect(await refused(code.slice(0, -1))).toBe("invalid-link-code");
  expect(await refused(code.replace(/./, (first) => (first === "A" ? "B" : "A")))).toBe(
    "link-expired",
  );
  // Its second half commits to the keys.
  expect(await refused(code.replace(/.(?=-....$)/, (one) => (one === "A" ? "B" : "A")))).toBe(
    "not-allowed",
  );
  expect(await refused(code.toLowerCase().replaceAll("-", " "))).toBe("linked");
});

test("a code is good once: who took it from a photograph is found out", async () => {
  const thief = new Person(house, "mallory");
  await thief.join();
  const offered = await tablet.messenger.offerDevice();
  const stolen = await thief.messenger.linkDevice(offered.code);
  // What the tablet shows is on no screen of alice's: her telephone says that somebody was there before.
  expect(await offered.digits()).toBe(await stolen.digits());
  await expect(alice.messenger.linkDevice(offered.code)).rejects.toMatchObject({
    code: "not-allowed",
  });
  expect(tablet.messenger.account).toBeUndefined();
  await thief.close();
});

test("what is read on one device is read on the others, and what is not is not", async () => {
  await bob.messenger.sendText(alice.id, "hello");
  await alice.until(() => alice.messagesHeard().length === 1);
  await alice.messenger.acceptContact(bob.id);
  await link(alice, tablet);
  for (const text of ["one", "two", "three"]) await say(bob, alice, text);
  await tablet.until(async () => (await tablet.messenger.unread()).length === 3);
  const unread = await alice.messenger.unread();
  const ids = unread.filter((each) => ["hello", "one", "two"].includes(textOf(each)));
  await alice.messenger.markRead(ids.map(({ messageId }) => messageId));
  await tablet.until(async () => (await tablet.messenger.unread()).length === 1);
  expect((await tablet.messenger.unread()).map(textOf)).toEqual(["three"]);
  expect(tablet.events.findLast(({ type }) => type === "contact")).toMatchObject({
    contact: { accountId: bob.id, unread: 1 },
  });
  const left = await tablet.messenger.unread();
  await tablet.messenger.markRead(left.map(({ messageId }) => messageId));
  await alice.until(async () => (await alice.messenger.unread()).length === 0);
});

test("a server that is killed while one device hands over to the other loses nothing of it", async () => {
  await bob.messenger.sendText(alice.id, "before");
  await alice.until(() => alice.messagesHeard().length === 1);
  await alice.messenger.acceptContact(bob.id);
  const offered = await tablet.messenger.offerDevice();
  const taking = await alice.messenger.linkDevice(offered.code);
  const digits = await taking.digits();
  let kills = 0;
  house.passDown = () => {
    // The new device has its place in the list, and nothing else yet.
    if (kills > 0 || tablet.messenger.account === undefined) return true;
    kills++;
    setTimeout(() => {
      house.killServer();
      house.startServer();
    }, 0);
    return true;
  };
  const [linked] = await Promise.all([offered.confirm(digits), taking.confirm(digits)]);
  expect([linked.deviceId, kills]).toEqual([2, 1]);
  expect(await tablet.messenger.contacts()).toMatchObject([{ handle: "bob", state: "accepted" }]);
  await say(tablet, bob, "from the tablet");
  expect(await bob.texts(alice.id)).toEqual(["before", "from the tablet"]);
});
