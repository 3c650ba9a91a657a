import { expect, test } from "vitest";
import { SharedTimer, type Timed } from "../../src/core/shared-timer.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";

const DELAY_MS = 1_600;

function open() {
  const clock = new ManualClock();
  const timer = new SharedTimer(clock, DELAY_MS);
  const due: string[] = [];
  const timed = (name: string): Timed => ({ round: undefined, due: () => due.push(name) });
  return { clock, timer, due, timed };
}

test("is due after the delay, at most a sixteenth of it early, and once", async () => {
  const { clock, timer, due, timed } = open();
  timer.start(timed("first"));
  await clock.pass(99);
  timer.start(timed("second"));
  await clock.pass(2);
  timer.start(timed("third"));
  await clock.pass(DELAY_MS - 101 - 1);
  expect(due).toEqual([]);
  await clock.pass(1);
  expect(due).toEqual(["first", "second"]);
  await clock.pass(101);
  expect(due).toEqual(["first", "second", "third"]);
  await clock.pass(10 * DELAY_MS);
  expect(due).toHaveLength(3);
});

test("is not due where it was stopped, and begins anew where it was started again", async () => {
  const { clock, timer, due, timed } = open();
  const [stopped, again] = [timed("stopped"), timed("again")];
  timer.start(stopped);
  timer.start(again);
  await clock.pass(1_000);
  SharedTimer.stop(stopped);
  timer.start(again);
  await clock.pass(1_000);
  expect(due).toEqual([]);
  await clock.pass(600);
  expect(due).toEqual(["again"]);
});

test("waits in one timer at a time", async () => {
  const { clock, timer, due, timed } = open();
  const patient = new SharedTimer(clock, 10 * DELAY_MS);
  const guest = timed("guest");
  timer.start(guest);
  patient.start(guest);
  await clock.pass(DELAY_MS);
  expect(due).toEqual([]);
  await clock.pass(9 * DELAY_MS);
  expect(due).toEqual(["guest"]);
});

test("does a crowd's work in pieces, and lets others in between", async () => {
  const { clock, timer, due, timed } = open();
  for (let i = 0; i < 200; i++) timer.start(timed(`${i}`));
  const seen: number[] = [];
  clock.after(DELAY_MS, () => seen.push(due.length));
  await clock.pass(DELAY_MS);
  await settled();
  expect(seen[0]).toBeLessThan(200);
  expect(new Set(due).size).toBe(200);
});
