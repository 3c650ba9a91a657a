/** `npm run bench`: the server in one process, the load in others; figures for a person, then one JSON line. */
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { measurePairs } from "./pairs-load.ts";

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(USAGE);
else await bench(options);

async function bench(given: BenchOptions): Promise<void> {
  const wanted = (name: string) => given.only.length === 0 || given.only.includes(name);
  for (const window of [8, 1])
    for (const receipts of [false, true]) {
      const name = `window${window}${receipts ? "+receipts" : ""}`;
      if (wanted(name)) await measurePairs(given, { name, window, receipts });
    }
}
