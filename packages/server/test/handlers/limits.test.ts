import { CloseCode, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { connect, ORIGIN, testFolder, testServer } from "../fixtures/embedded.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import type { Request, WireClient } from "../fixtures/wire-client.ts";

type Numbers = Partial<typeof SETTINGS_DEFAULT.limits>;
const config = (numbers: Numbers) => ({
  origins: [ORIGIN],
  limits: { ...SETTINGS_DEFAULT.limits, ...numbers },
});
const RATE_LIMITED = { code: ErrorCode.RATE_LIMITED };
const at = (address: string) => ({ bufferedBytes: 0, probes: 0, address });

test("refuses a send above the account's budget, says when to send again, and takes it then", async () => {
  const clock = new ManualClock();
  const { alice, bob, a, b } = await talk({ clock, config: config({ durableSendsPerMinute: 3 }) });
  for (let i = 0; i < 3; i++) await a.send(alice, bob);
  await expect(a.send(alice, bob)).rejects.toMatchObject({ ...RATE_LIMITED, retryAfterMs: 20_000 });
  await b.send(bob, alice);
  await clock.pass(20_000);
  await a.send(alice, bob);
  await b.drain();
  expect(b.delivered).toHaveLength(4);
});

test("tells a client at welcome how much it may send", async () => {
  const { server, alice } = await talk({ config: config({ durableSendsPerMinute: 77 }) });
  const welcome = await (await again(server, alice)).frame("welcome");
  expect(welcome.limits).toMatchObject({ durableSendsPerMinute: 77, liveFramesPerMinute: 30 });
});

const accountId = (person: Person) => ({ accountId: person.accountId });
const askedAlone: [name: keyof Numbers, (bob: Person) => Request & { case: string }][] = [
  ["handleLookUpsPerMinute", () => ({ case: "lookUpHandle", value: { handle: "bob" } })],
  ["chainFetchesPerMinute", (bob) => ({ case: "fetchAccountChain", value: accountId(bob) })],
  ["profileFetchesPerMinute", (bob) => ({ case: "fetchProfile", value: accountId(bob) })],
  ["bundleFetchesPerMinute", (bob) => ({ case: "fetchPrekeyBundles", value: accountId(bob) })],
  ["profileChangesPerHour", () => ({ case: "setProfile", value: {} })],
  ["prekeyUploadsPerHour", () => ({ case: "uploadPrekeys", value: {} })],
  ["skipClearsPerHour", () => ({ case: "clearSkipped", value: {} })],
  ["drainsPerMinute", () => ({ case: "drain", value: {} })],
];
test.each(askedAlone)("keeps %s, for each who asks", async (name, requestFor) => {
  const { bob, a, b } = await talk({ config: config({ [name]: 2 }) });
  const ask = (client: WireClient) => {
    const request = requestFor(bob);
    return client.request(
      request.case === "drain" ? "drained" : (request.case as "signUp"),
      request,
    );
  };
  for (let i = 0; i < 2; i++) await ask(a);
  await expect(ask(a)).rejects.toMatchObject(RATE_LIMITED);
  await ask(b);
});

test("refuses the entries of one device, and takes those of another", async () => {
  const { server, bob, b } = await talk({ config: config({ accountEntriesPerHour: 2 }) });
  const laptop = bob.newDevice(2);
  const both = [bob.phone, laptop];
  const linked = bob.deviceEntry(bob.phone, { case: "addDevice", value: laptop.entry }, both);
  const append = (client: WireClient, entry = linked) =>
    client.request("appendAccountEntry", { case: "appendAccountEntry", value: { entry } });
  for (let i = 0; i < 2; i++) await append(b);
  bob.takes(linked, { era: 1, version: 2 }, both);
  await expect(append(b)).rejects.toMatchObject(RATE_LIMITED);
  await append(await again(server, bob, { device: laptop }));
});

test("gives the last-resort prekey of who is asked for too often, and keeps the others", async () => {
  const { bob, a, b } = await talk({ config: config({ bundlesOfAccountPerHour: 2 }) });
  const keys = prekeysOf(bob.phone, { oneTime: [1, 2, 3, 4] });
  await b.request("uploadPrekeys", { case: "uploadPrekeys", value: keys });
  const given: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const value = accountId(bob);
    const { bundles } = await a.request("fetchPrekeyBundles", {
      case: "fetchPrekeyBundles",
      value,
    });
    given.push(bundles[0]?.oneTimePrekey?.id ?? bundles[0]?.lastResortPrekey?.id);
    expect(bundles[0]?.oneTimePrekey === undefined).toBe(i >= 2);
  }
  expect(given).toEqual([1, 2, 1, 1]);
  const { held } = await b.request("uploadPrekeys", { case: "uploadPrekeys", value: {} });
  expect(held).toMatchObject({ lowestOneTimeId: 3, oneTimeCount: 2 });
});

test("drops live frames above a pair's budget, in silence, and those to others go on", async () => {
  const { server, alice, bob, a, b } = await talk({ config: config({ liveFramesPerMinute: 2 }) });
  const carol = new Person("carol");
  const c = connect(server);
  await c.signUp(carol);
  await c.hello(carol);
  const tell = (to: Person) => {
    const ciphertext = new Uint8Array(97).fill(1);
    const envelope = { id: new Uint8Array(16), deliveryClass: 2 as const, ciphertext };
    const recipient = { case: "accountId" as const, value: to.accountId };
    a.sendFrame({ request: { case: "sendLive", value: { recipient, envelope } } });
  };
  for (let i = 0; i < 4; i++) tell(bob);
  tell(carol);
  await a.drain();
  const heard = (client: WireClient) =>
    client.frames.filter(({ response }) => response.case === "live").length;
  await c.frame("live");
  expect([heard(b), heard(c)]).toEqual([2, 1]);
  expect(alice.devices).toHaveLength(1);
});

test("takes so many sign-ups from one address, and others from another", async () => {
  const server = testServer({ config: config({ signUpsPerAddressPerHour: 2 }) });
  const join = (name: string, address: string) =>
    connect(server, at(address)).signUp(new Person(name));
  await join("alice", "192.0.2.1");
  await join("bob", "192.0.2.1");
  await expect(join("carol", "192.0.2.1")).rejects.toMatchObject({
    ...RATE_LIMITED,
    retryAfterMs: expect.any(Number),
  });
  await join("dora", "192.0.2.2");
});

test("counts nobody by the address of a proxy that does not say for whom it speaks", async () => {
  const numbers = { signUpsPerAddressPerHour: 0, failedLoginsPerAddressPerMinute: 0 };
  const server = testServer({ config: config(numbers) });
  for (const [name, proxy] of Object.entries({ alice: "127.0.0.1", bob: "::ffff:127.0.0.1" })) {
    const person = new Person(name);
    const client = connect(server, at(proxy));
    await client.signUp(person);
    await client.hello(person);
  }
});

test("lets who shows a receipt return, however many return at once", async () => {
  const dataFolder = testFolder();
  const first = testServer({ dataFolder, config: config({}) });
  const alice = new Person("alice");
  const { receipt } = await connect(first).signUp(alice);
  first.kill();
  const second = testServer({ dataFolder, config: config({ signUpsPerAddressPerHour: 0 }) });
  const client = connect(second, at("192.0.2.1"));
  expect((await client.signUp(alice, { receipt })).receipt).toEqual(receipt);
  await expect(client.signUp(alice)).rejects.toMatchObject(RATE_LIMITED);
});

test("refuses logins after so many wrong ones from an address, and only from there", async () => {
  const numbers = { failedLoginsPerAddressPerMinute: 2 };
  const { server, alice, bob } = await talk({ config: config(numbers) });
  const wrong = async (address: string) => {
    const client = connect(server, at(address));
    await client.frame("challenge");
    const thief = Object.assign(Object.create(alice) as Person, { phone: bob.phone });
    return client.hello(thief);
  };
  for (let i = 0; i < 2; i++)
    await expect(wrong("192.0.2.1")).rejects.toMatchObject({ code: ErrorCode.LOGIN_REFUSED });
  await expect(wrong("192.0.2.1")).rejects.toMatchObject(RATE_LIMITED);
  await expect(connect(server, at("192.0.2.1")).hello(alice)).rejects.toMatchObject(RATE_LIMITED);
  await connect(server, at("192.0.2.2")).hello(alice);
});

test("lets an account log in only so often, and leaves the connection for a later try", async () => {
  const clock = new ManualClock();
  const { server, alice, a } = await talk({ clock, config: config({ loginsPerMinute: 1 }) });
  const client = connect(server);
  await expect(client.hello(alice)).rejects.toMatchObject({
    ...RATE_LIMITED,
    retryAfterMs: 60_000,
  });
  await a.drain();
  let ended = false;
  void client.closed.then(({ code }) => {
    ended = code !== CloseCode.LOGIN_TIMEOUT;
  });
  await clock.pass(1_000);
  expect(ended).toBe(false);
});

test("counts steps of linking by address, before login too", async () => {
  const server = testServer({ config: config({ linkStepsPerAddressPerMinute: 2 }) });
  const put = (address: string, step: number) =>
    connect(server, at(address)).request("putLinkStep", {
      case: "putLinkStep",
      value: { address: new Uint8Array(16), step, payload: Uint8Array.of(1) },
    });
  for (let step = 0; step < 2; step++) await put("192.0.2.1", step);
  await expect(put("192.0.2.1", 2)).rejects.toMatchObject(RATE_LIMITED);
  await put("192.0.2.2", 2);
});

test("refuses nothing in a dry run", async () => {
  const numbers = { durableSendsPerMinute: 1, handleLookUpsPerMinute: 0, dryRun: true };
  const { alice, bob, a } = await talk({ config: config(numbers) });
  for (let i = 0; i < 3; i++) await a.send(alice, bob);
  await a.request("lookUpHandle", { case: "lookUpHandle", value: { handle: "bob" } });
});
