/**
 * `npm run bench:peers`: the same loads on Parley and on servers that people would pick instead, one after the
 * other in one run; a table, then one JSON line with an entry a server and load.
 */
import { describeMachine } from "./measure/machine.ts";
import { round } from "./measure/round.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { type Measured, peersTable } from "./peers-table.ts";
import { LOADS, runLoad } from "./run-load.ts";
import { startParley } from "./servers/parley-server.ts";
import { startPeer } from "./servers/peer-server.ts";
import type { StartTarget } from "./servers/target.ts";

const SERVERS: Readonly<Record<string, StartTarget>> = {
  parley: startParley,
  ejabberd: async () => startPeer("ejabberd"),
  mosquitto: async () => startPeer("mosquitto"),
};
/** Who does not do the pace with a third to spare is measured at half of what he does. */
const HEADROOM = 1.5;

const options = readOptions(process.argv.slice(2), {
  only: LOADS,
  on: Object.keys(SERVERS),
});
if (options === "help") process.stdout.write(USAGE);
else await bench(options);

async function bench(given: BenchOptions): Promise<void> {
  console.log(describeMachine());
  const measured: Record<string, Measured> = {};
  for (const name of given.on) {
    console.log(`\n${name}`);
    measured[name] = await measure(SERVERS[name] as StartTarget, given);
  }
  console.log("");
  console.log(peersTable(measured));
  console.log(JSON.stringify(measured));
}

async function measure(start: StartTarget, given: BenchOptions): Promise<Measured> {
  const measured: Measured = {};
  for (const load of LOADS.filter((each) => given.only.includes(each))) {
    const { messagesPerSecond } = load === "paced" ? paceFor(measured, given) : given;
    const figures = await runLoad(load, start, { ...given, messagesPerSecond });
    measured[load] = load === "paced" ? { ...figures, messagesPerSecond } : figures;
  }
  return measured;
}

function paceFor({ window1, window8 }: Measured, { messagesPerSecond }: BenchOptions) {
  const most = Math.max(window1?.deliveredPerSecond ?? 0, window8?.deliveredPerSecond ?? 0);
  if (most === 0 || most > messagesPerSecond * HEADROOM) return { messagesPerSecond };
  return { messagesPerSecond: round(most / 2, -2) || 100 };
}
