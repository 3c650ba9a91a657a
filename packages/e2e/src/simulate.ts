import { parseArgs } from "node:util";
import { reportOf } from "./report.ts";
import { Counters } from "./world/sometimes.ts";
import { runWorld } from "./world/world.ts";

const USAGE = `usage: npm run simulate -- --seed N       one world, replayed
       npm run simulate -- --seeds A-B   many
  --trace    prints every event of the world`;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: "string" }, seeds: { type: "string" }, trace: { type: "boolean" } },
  });
  const range = /^(\d+)(?:-(\d+))?$/.exec(values.seeds ?? values.seed ?? "");
  if (range === null) {
    console.error(USAGE);
    return 2;
  }
  const first = Number(range[1]);
  const last = Number(range[2] ?? first);
  const counters = new Counters();
  let failed = 0;
  for (let seed = first; seed <= last; seed++)
    if (!(await simulate(seed, counters, values.trace === true))) failed++;
  if (last > first)
    console.error(`${last - first + 1} worlds, ${failed} broken. What happened:\n${counters}`);
  return failed === 0 ? 0 : 1;
}

async function simulate(seed: number, counters: Counters, trace: boolean): Promise<boolean> {
  const result = await runWorld({ seed: String(seed), keepTrace: trace });
  counters.add(result.counters);
  for (const line of result.traceLines ?? []) process.stdout.write(line);
  const { summary, broken } = reportOf(seed, result);
  if (broken !== undefined) console.error(`seed ${seed} is broken\n${broken}\n`);
  console.log(JSON.stringify(summary));
  return broken === undefined;
}

process.exitCode = await main(process.argv.slice(2));
