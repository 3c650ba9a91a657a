import { expect, test } from "vitest";
import { Allowance } from "../../src/outbox/allowance.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

function allowance() {
  const clock = new ManualClock();
  const woken: number[] = [];
  const begun = clock.now();
  const made = new Allowance({
    clock,
    inFlightMax: 64,
    wake: () => woken.push(clock.now() - begun),
  });
  return { clock, woken, made };
}

test("makes no entry before the server has said how many", () => {
  const { made } = allowance();
  expect([made.mayMakeEntries, made.takeEntries(1)]).toEqual([false, 0]);
});

test("makes a quarter of what the account may send into entries, and more as time passes", async () => {
  const { clock, woken, made } = allowance();
  made.welcomed(400);
  expect(made.takeEntries(70)).toBe(70);
  expect(made.takeEntries(70)).toBe(30);
  expect([made.takeEntries(1), made.mayMakeEntries]).toEqual([0, false]);
  await clock.pass(600);
  expect(woken).toEqual([600]);
  expect([made.takeEntries(2), made.takeEntries(1)]).toEqual([1, 0]);
  await clock.pass(60 * 60_000);
  expect(made.takeEntries(1_000)).toBe(100);
});

test("gives nothing away for a connection that is begun anew, and follows what the server says now", async () => {
  const { clock, made } = allowance();
  made.welcomed(400);
  made.takeEntries(100);
  made.welcomed(400);
  expect(made.takeEntries(1)).toBe(0);
  made.welcomed(4_000_000_000);
  await clock.pass(60);
  expect(made.takeEntries(5_000_000)).toBe(1_000_000);
  made.welcomed(1);
  await clock.pass(60_000);
  expect(made.takeEntries(5)).toBe(1);
});

test("takes the usual budget where the server names none", () => {
  const { made } = allowance();
  made.welcomed(0);
  expect(made.takeEntries(1_000)).toBe(100);
});

test("waits exactly as long as the server asks, then tries one, then more", async () => {
  const { clock, woken, made } = allowance();
  made.welcomed(400);
  expect(made.inFlightMax).toBe(64);
  made.refused(150);
  made.refused(150);
  await clock.pass(149);
  expect([made.inFlightMax, woken]).toEqual([0, []]);
  await clock.pass(1);
  expect([made.inFlightMax, woken]).toEqual([1, [150]]);
  for (let i = 0; i < 3; i++) made.accepted();
  expect(made.inFlightMax).toBe(4);
  for (let i = 0; i < 100; i++) made.accepted();
  expect(made.inFlightMax).toBe(64);
});
