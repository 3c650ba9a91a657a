/** `npm run bench`: the server in one process, the load in others; figures for a person, then one JSON line. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { measureSlowDisk } from "./loads/slow-disk.ts";
import { describeMachine } from "./measure/machine.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { type Figures, KEYS, LOADS, type Load, runLoad } from "./run-load.ts";
import { startParley } from "./servers/parley-server.ts";
import type { StartTarget } from "./servers/target.ts";

const SLOW_DISK = "slow-disk";

const options = readOptions(process.argv.slice(2), { only: [...LOADS, SLOW_DISK] });
if (options === "help") process.stdout.write(USAGE);
else await bench(options);

async function bench(given: BenchOptions): Promise<void> {
  console.log(describeMachine());
  const start = given.cpuProfile ? profiled() : startParley;
  let figures: Figures = {};
  for (const load of LOADS.filter((each) => given.only.includes(each))) {
    const measured = await runLoad(load, start, given);
    figures = { ...figures, ...onLastLine(load, measured) };
  }
  if (given.only.includes(SLOW_DISK)) await measureSlowDisk(given.seconds);
  console.log("fan-out and last member are null: there are no groups yet");
  console.log(JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, figures[key] ?? null]))));
}

/** Rates at window 8, latencies at a pace; what else was measured was told to whoever reads. */
function onLastLine(load: Load, measured: Figures): Figures {
  const { p50Ms, p99Ms, p999Ms, ...rates } = measured;
  switch (load) {
    case "window8":
      return rates;
    case "paced":
      return { p50Ms, p99Ms, p999Ms };
    case "idle":
    case "backlog":
      return measured;
    default:
      return {};
  }
}

function profiled(): StartTarget {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-profile-"));
  console.log(`the server's CPU profile: ${folder}`);
  return () => startParley({ nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${folder}`] });
}
