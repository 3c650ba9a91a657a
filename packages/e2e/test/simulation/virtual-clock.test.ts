import { expect, test } from "vitest";
import { Life, LifeClock, WORLD_BEGIN_MS } from "../../src/simulation/life.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";

test("timers run in order of time, and at one time in the order in which they were asked for", async () => {
  const clock = new VirtualClock();
  const random = new SeededRandom("timers");
  const asked = Array.from({ length: 500 }, (_, order) => ({ at: random.integer(0, 50), order }));
  const ran: { at: number; order: number }[] = [];
  for (const timer of asked) clock.after(timer.at, () => ran.push({ ...timer, at: clock.time }));
  expect(await clock.runUntil(() => false, 100)).toBe(false);
  expect(ran).toEqual([...asked].sort((a, b) => a.at - b.at || a.order - b.order));
  expect(clock.time).toBe(100);
});

test("a cancelled timer does not run and does not hold time up", async () => {
  const clock = new VirtualClock();
  let ran = 0;
  const cancels = Array.from({ length: 20 }, (_, i) => clock.after(i, () => ran++));
  for (const cancel of cancels.slice(1)) cancel();
  expect(clock.pending).toBe(1);
  await clock.runUntil(() => false, 50);
  expect(ran).toBe(1);
});

test("time stands still until every promise has settled", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock.after(1, () => {
    void (async () => {
      for (let i = 0; i < 100; i++) await null;
      seen.push(`settled at ${clock.time}`);
      await clock.sleep(5);
      seen.push(`woken at ${clock.time}`);
    })();
  });
  clock.after(2, () => seen.push(`next at ${clock.time}`));
  await clock.runUntil(() => false, 10);
  expect(seen).toEqual(["settled at 1", "next at 2", "woken at 6"]);
});

test("it stops at the very timer after which the condition holds", async () => {
  const clock = new VirtualClock();
  let count = 0;
  for (let i = 1; i <= 10; i++) clock.after(i, () => count++);
  expect(await clock.runUntil(() => count === 4, 100)).toBe(true);
  expect(clock.time).toBe(4);
});

test("a program's wall clock may jump; its timers do not, and end with it", async () => {
  const clock = new VirtualClock();
  const life = new Life();
  const skew = { offsetMs: 0 };
  const own = new LifeClock(clock, life, skew);
  let ran = 0;
  own.after(10, () => ran++);
  own.after(20, () => ran++);
  skew.offsetMs = -3_600_000;
  await clock.runUntil(() => false, 15);
  expect([ran, own.now()]).toEqual([1, WORLD_BEGIN_MS + 15 - 3_600_000]);
  life.end();
  await clock.runUntil(() => false, 30);
  expect(ran).toBe(1);
});

test("streams of chance are the same for the same seed, and differ by name", () => {
  const draw = (seed: string) => Array.from({ length: 8 }, () => new SeededRandom(seed).uint32());
  expect(draw("a")).toEqual(draw("a"));
  const [a, b] = ["a", "b"].map((name) => new SeededRandom("world").stream(name).bytes(32));
  expect(a).not.toEqual(b);
  expect(a).toEqual(new SeededRandom("world").stream("a").bytes(32));
});

test("chance is fair enough to be called so", () => {
  const random = new SeededRandom("fair");
  let hits = 0;
  for (let i = 0; i < 10_000; i++) if (random.chance(0.2)) hits++;
  expect(Math.abs(hits - 2000)).toBeLessThan(200);
  const faces = new Set(Array.from({ length: 200 }, () => random.integer(1, 6)));
  expect([...faces].sort()).toEqual([1, 2, 3, 4, 5, 6]);
});
