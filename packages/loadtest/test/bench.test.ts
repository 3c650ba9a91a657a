import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const BENCH = fileURLToPath(new URL("../src/bench.ts", import.meta.url));
const KEYS = [
  "deliveredPerSecond",
  "deliveredPerCpuSecond",
  "p50Ms",
  "p99Ms",
  "p999Ms",
  "idleConnectionKiB",
  "backlogDrainPerSecond",
  "fanOutPerCpuSecond",
  "lastMemberP99Ms",
  "bytesPerMessage",
];

test("two pairs for a second give figures, and the last line has every key", () => {
  const { last } = bench("window8", "paced", "backlog", "idle");
  expect(Object.keys(last)).toEqual(KEYS);
  for (const key of KEYS.filter((each) => !/fanOut|lastMember/.test(each)))
    expect(last[key], key).toBeGreaterThan(0);
  expect(last["fanOutPerCpuSecond"]).toBeNull();
});

test("with receipts, those come back and are counted", () => {
  const { output } = bench("window1-receipts");
  const receipts = Number(/, (\d+) receipts/.exec(output)?.[1]);
  // At most one in 500 ms from each of two readers.
  expect(receipts).toBeGreaterThan(0);
  expect(receipts).toBeLessThanOrEqual(6);
});

test("a load that does not exist is named", () => {
  const { status, stderr } = spawnSync(process.execPath, [BENCH, "--only", "window9"], {
    encoding: "utf8",
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain("window9");
});

function bench(...loads: string[]) {
  const small = {
    ...{ pairs: 2, seconds: 1, "warm-up": 0.2, rate: 200 },
    ...{ connections: 20, rest: 0.2, backlog: 100, settle: 0.2 },
  };
  const args = [
    ...loads.flatMap((load) => ["--only", load]),
    ...Object.entries(small).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, [BENCH, ...args], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) as string);
  return { output: stdout, last: last as Record<string, number | null> };
}
