import { expect, test } from "vitest";
import { Readiness } from "../../src/core/readiness.ts";
import type { Finding, HealthCheck } from "../../src/ports/health-check.ts";
import type { Log } from "../../src/ports/log.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";

class Told implements HealthCheck {
  readonly name: string;
  looks = 0;
  finding: Finding | Promise<Finding> = { isOk: true, detail: "well" };

  constructor(name: string) {
    this.name = name;
  }

  look(): Finding | Promise<Finding> {
    this.looks++;
    return this.finding;
  }
}

function ready(...checks: HealthCheck[]) {
  const clock = new ManualClock();
  const lines: unknown[] = [];
  const write: Log["info"] = (fields, event) => lines.push({ ...fields, event });
  const log = { debug: write, info: write, warn: write, error: write };
  return { clock, lines, readiness: new Readiness({ clock, log }, checks) };
}

test("a server is ready when every check is well, and says which is not", async () => {
  const [disk, loop] = [new Told("disk"), new Told("loop")];
  const { clock, readiness } = ready(disk, loop);
  expect((await readiness.report()).isReady).toBe(true);
  disk.finding = { isOk: false, detail: "the disk is full" };
  await clock.pass(2_000);
  expect(await readiness.report()).toEqual({
    isReady: false,
    checks: [
      { name: "disk", isOk: false, detail: "the disk is full" },
      { name: "loop", isOk: true, detail: "well" },
    ],
  });
});

test("however often it is asked, it looks once in two seconds, and anew when told to forget", async () => {
  const disk = new Told("disk");
  const { clock, readiness } = ready(disk);
  await Promise.all(Array.from({ length: 100 }, () => readiness.report()));
  expect(disk.looks).toBe(1);
  await clock.pass(2_000);
  await readiness.report();
  expect(disk.looks).toBe(2);
  readiness.forget();
  await readiness.report();
  expect(disk.looks).toBe(3);
});

test("a check that hangs is not ready after a second, and is not asked again while it hangs", async () => {
  const disk = new Told("disk");
  let end: (finding: Finding) => void = () => undefined;
  disk.finding = new Promise((resolve) => {
    end = resolve;
  });
  const { clock, readiness } = ready(disk);
  for (let round = 0; round < 3; round++) {
    const report = readiness.report();
    await clock.pass(1_000);
    expect((await report).checks).toEqual([{ name: "disk", isOk: false, detail: "no answer" }]);
    await clock.pass(2_000);
  }
  expect(disk.looks).toBe(1);
  end({ isOk: true, detail: "well" });
  await settled();
  expect((await readiness.report()).isReady).toBe(true);
});

test("a check that throws is not ready, and no question fails", async () => {
  const { readiness } = ready({ name: "disk", look: () => Promise.reject(new Error("secret")) });
  expect(await readiness.report()).toEqual({
    isReady: false,
    checks: [{ name: "disk", isOk: false, detail: "the check failed" }],
  });
});

test("the log is told when a check fails and when it passes again, once each", async () => {
  const disk = new Told("disk");
  const { clock, lines, readiness } = ready(disk);
  const round = async () => {
    await readiness.report();
    await clock.pass(2_000);
  };
  await round();
  disk.finding = { isOk: false, detail: "the disk is full" };
  await round();
  await round();
  disk.finding = { isOk: true, detail: "well" };
  await round();
  await round();
  expect(lines).toEqual([
    { check: "disk", detail: "the disk is full", event: "not-ready" },
    { check: "disk", event: "ready" },
  ]);
});
