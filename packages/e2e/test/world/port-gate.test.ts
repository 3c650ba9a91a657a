import type { Ports } from "@parley/server";
import { beforeEach, expect, test } from "vitest";
import { Life } from "../../src/simulation/life.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { PortGate } from "../../src/world/port-gate.ts";
import { Counters } from "../../src/world/sometimes.ts";

const bob = { accountId: "b0", deviceId: 1 };

let clock: VirtualClock;
let life: Life;
let counters: Counters;
let gate: PortGate;
let ports: Ports;
let done: string[];
let settled: string[];

function make({ wakeupsLost = 0, delayMsMax = 0 } = {}): void {
  clock = new VirtualClock();
  life = new Life();
  counters = new Counters();
  done = [];
  settled = [];
  gate = new PortGate(
    {
      ...{ clock, counters, random: new SeededRandom("gate") },
      wakeupsLost: () => wakeupsLost,
      delayMsMax: () => delayMsMax,
      kill: () => life.end(),
    },
    life,
  );
  const notes = (name: string) => async () => void done.push(name);
  ports = gate.around({
    mailboxes: {
      append: notes("append"),
      open: () => ({ next: notes("next") }),
      seen: () => void done.push("seen"),
    },
    accounts: { find: notes("find") },
    bus: { wake: async () => done.push("wake") > 0, subscribe: async () => () => undefined },
  } as unknown as Ports);
}

function call(): void {
  ports.accounts.find("a0").then(
    () => settled.push("find"),
    (cause: Error) => settled.push(cause.message),
  );
}

const pass = (ms = 10) => clock.runUntil(() => false, clock.time + ms);

beforeEach(() => make());

test("killed before a call, the call is not made and nothing is answered", async () => {
  gate.killIn(1, "before");
  call();
  call();
  call();
  await pass();
  expect([done, settled, life.alive]).toEqual([["find"], [], false]);
});

test("killed after a call, the call is made and nothing is answered", async () => {
  gate.killIn(1, "after");
  call();
  await pass();
  expect(settled).toEqual(["find"]);
  call();
  await pass();
  call();
  await pass();
  expect([done, settled, life.alive]).toEqual([["find", "find"], ["find"], false]);
});

test("readers of a mailbox are calls too", async () => {
  gate.killIn(0, "before");
  void ports.mailboxes.open(bob).next(1);
  await pass();
  expect([done, life.alive]).toEqual([[], false]);
});

test("what answers without a promise goes through", () => {
  ports.mailboxes.seen(bob, 1n);
  expect(done).toEqual(["seen"]);
});

test("with a full disk writes are refused, and reads answer", async () => {
  gate.isFull = true;
  call();
  await expect(
    ports.mailboxes.append({ sender: bob, stateNumber: 1n, deliveries: [] }),
  ).rejects.toThrow("full");
  gate.isFull = false;
  await ports.mailboxes.append({ sender: bob, stateNumber: 1n, deliveries: [] });
  expect([done, settled]).toEqual([["find", "append"], ["find"]]);
});

test("answers take their time, and none comes to a server that died meanwhile", async () => {
  make({ delayMsMax: 1000 });
  call();
  await pass(0);
  expect([done, settled]).toEqual([["find"], []]);
  await pass(1000);
  expect(settled).toEqual(["find"]);
  call();
  await pass(0);
  life.end();
  await pass(1000);
  expect(settled).toEqual(["find"]);
});

test("a fifth of the wake-ups is lost, whatever the waker is told", async () => {
  make({ wakeupsLost: 0.2 });
  const told = new Set<boolean>();
  for (let i = 0; i < 1000; i++) told.add(await ports.bus.wake(bob, { kind: "mail" }));
  expect(done.length).toBeGreaterThan(750);
  expect(done.length).toBeLessThan(850);
  expect(counters.of("a wake-up is lost")).toBe(1000 - done.length);
  expect(told).toEqual(new Set([true, false]));
});
