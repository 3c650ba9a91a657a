import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogFile } from "@parley/server";
import { expect, onTestFinished, test } from "vitest";
import { Life } from "../../src/simulation/life.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { DiskHealth, FaultyLogDisk } from "../../src/world/faulty-log-disk.ts";
import { Counters } from "../../src/world/sometimes.ts";

const SIZE = 64 * 1024;
const BLOCK = new Uint8Array(4 * 1024).fill(7);

interface Machine {
  readonly clock: VirtualClock;
  readonly health: DiskHealth;
  readonly file: LogFile;
  onDisk(): Buffer;
}

/** One file on a disk that takes a second for a write. */
function machine(seed: string): Machine {
  const folder = mkdtempSync(join(tmpdir(), "parley-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const clock = new VirtualClock();
  const health = new DiskHealth();
  let delayMs = 0;
  const disk = new FaultyLogDisk(
    {
      ...{ clock, health, random: new SeededRandom(seed), counters: new Counters() },
      ...{ delayMsMax: () => delayMs, durable: () => undefined },
    },
    new Life(),
  );
  const path = join(folder, "mail-0.log");
  void disk.create(path, SIZE); // At once, without a delay.
  const file = disk.open(path);
  onTestFinished(() => file.close());
  delayMs = 1_000;
  return { clock, health, file, onDisk: () => readFileSync(path).subarray(0, BLOCK.length) };
}

const pass = (clock: VirtualClock) => clock.runUntil(() => false, clock.time + 1_000);

test("a write is durable when it resolves, and not before", async () => {
  const { clock, file, onDisk } = machine("whole");
  let isDone = false;
  void file.write(BLOCK, 0)?.then(() => {
    isDone = true;
  });
  expect([isDone, onDisk().every((byte) => byte === 0)]).toEqual([false, true]);
  await pass(clock);
  expect([isDone, onDisk().equals(BLOCK)]).toEqual([true, true]);
});

test("of a write under way a kill leaves any of its sectors, each whole or as it was", async () => {
  const left = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const { file, onDisk } = machine(`torn ${seed}`);
    void file.write(BLOCK, 0);
    file.close();
    const sectors = Array.from({ length: 8 }, (_, i) => onDisk().subarray(512 * i, 512 * (i + 1)));
    for (const sector of sectors) expect(new Set(sector).size).toBe(1);
    left.add(sectors.filter((sector) => sector[0] === 7).length);
  }
  expect(left.size).toBeGreaterThan(5);
});

test("a full disk refuses, and takes writes again once there is room; a failed one says so", async () => {
  const { clock, health, file, onDisk } = machine("full");
  const outcome = async () => {
    const code = file.write(BLOCK, 0)?.then(
      () => "written",
      (cause: { code: string }) => cause.code,
    );
    await pass(clock);
    return await code;
  };
  health.isFull = true;
  expect(await outcome()).toBe("ENOSPC");
  health.isFull = false;
  health.writesToFailure = 1;
  expect(await outcome()).toBe("written");
  expect(onDisk().equals(BLOCK)).toBe(true);
  expect([await outcome(), health.hasFailed]).toEqual(["EIO", true]);
});
