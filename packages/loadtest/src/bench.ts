/** `npm run bench`: the server in one process, the load in others; figures for a person, then one JSON line. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { LoadName } from "./load-names.ts";
import { measureBacklog } from "./loads/backlog.ts";
import { measureIdle } from "./loads/idle.ts";
import { measurePairs, type PairsLoad } from "./loads/pairs.ts";
import { measureSlowDisk } from "./loads/slow-disk.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";

/** Of the last line; null: not measured in this run. */
const NOTHING = {
  deliveredPerSecond: null,
  deliveredPerCpuSecond: null,
  p50Ms: null,
  p99Ms: null,
  p999Ms: null,
  idleConnectionKiB: null,
  backlogDrainPerSecond: null,
  fanOutPerCpuSecond: null,
  lastMemberP99Ms: null,
  bytesPerMessage: null,
};
type Figures = Partial<Record<keyof typeof NOTHING, number>>;

const LOADS: Readonly<Record<LoadName, (options: BenchOptions) => Promise<Figures>>> = {
  window8: async (options) => {
    const figures = await pairs(options, { name: "window 8", window: 8 });
    const { deliveredPerSecond, deliveredPerCpuSecond } = figures;
    return { deliveredPerSecond, deliveredPerCpuSecond };
  },
  window1: (options) => apart(pairs(options, { name: "window 1", window: 1 })),
  "window8-receipts": (options) =>
    apart(pairs(options, { name: "window 8, receipts", window: 8, receipts: true })),
  "window1-receipts": (options) =>
    apart(pairs(options, { name: "window 1, receipts", window: 1, receipts: true })),
  paced: async (options) => {
    const { messagesPerSecond } = options;
    const paced = { name: `at ${messagesPerSecond}/s`, window: 1, messagesPerSecond };
    const figures = await pairs(options, paced);
    const { p50Ms, p99Ms, p999Ms } = figures;
    return { p50Ms, p99Ms, p999Ms };
  },
  idle: async (options) => ({ idleConnectionKiB: await measureIdle(options, nodeArgs(options)) }),
  backlog: (options) => measureBacklog(options.backlogMessages, nodeArgs(options)),
  "slow-disk": (options) => apart(measureSlowDisk(options.seconds)),
};

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(USAGE);
else await bench(options);

async function bench(given: BenchOptions): Promise<void> {
  let figures: Figures = {};
  for (const name of given.only) figures = { ...figures, ...(await LOADS[name](given)) };
  console.log("fan-out and last member are null: there are no groups yet");
  console.log(JSON.stringify({ ...NOTHING, ...figures }));
}

type Load = Pick<PairsLoad, "name" | "window"> & Partial<PairsLoad>;

function pairs(given: BenchOptions, load: Load) {
  const { pairs, warmUpSeconds, seconds } = given;
  return measurePairs({ pairs, warmUpSeconds, seconds, receipts: false, ...load }, nodeArgs(given));
}

/** Told to whoever reads, and no key of the last line. */
async function apart(load: Promise<unknown>): Promise<Figures> {
  await load;
  return {};
}

function nodeArgs({ cpuProfile }: BenchOptions): readonly string[] {
  if (!cpuProfile) return [];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-profile-"));
  console.log(`the server's CPU profile: ${folder}`);
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`];
}
