import { generate } from "./generator/generate.ts";
import { Histogram } from "./measure/histogram.ts";
import type { BenchOptions } from "./options.ts";
import { startServer } from "./parley/server-process.ts";

export interface PairsLoad {
  readonly name: string;
  readonly window: number;
  readonly receipts: boolean;
  readonly messagesPerSecond?: number;
}

export interface PairsFigures {
  readonly deliveredPerSecond: number;
  readonly deliveredPerCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** One load of pairs on a server of its own. */
export async function measurePairs(
  { pairs, seconds, warmUpSeconds, profileFolder }: BenchOptions,
  { name, ...load }: PairsLoad,
): Promise<PairsFigures> {
  const nodeArgs =
    profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const server = await startServer({ nodeArgs });
  try {
    const result = await generate({
      kind: "pairs",
      port: server.port,
      serverPids: [server.pid],
      pairs,
      ...load,
      warmUpMs: warmUpSeconds * 1000,
      measureMs: seconds * 1000,
    });
    const latency = Histogram.from(result.latency);
    const figures = {
      deliveredPerSecond: Math.round(result.delivered / result.seconds),
      deliveredPerCpuSecond: Math.round(result.delivered / result.serverCpuSeconds),
      p50Ms: round(latency.percentileMs(0.5)),
      p99Ms: round(latency.percentileMs(0.99)),
      p999Ms: round(latency.percentileMs(0.999)),
    };
    const cpu = result.serverCpuSeconds / result.seconds;
    const own = result.generatorCpuSeconds / result.seconds;
    console.log(
      `${name}: ${figures.deliveredPerSecond} delivered/s, ${figures.deliveredPerCpuSecond} per CPU-second ` +
        `(server ${percent(cpu)}, generator ${percent(own)} of a core), ` +
        `p50 ${figures.p50Ms} p99 ${figures.p99Ms} p999 ${figures.p999Ms} ms` +
        `${load.receipts ? `, ${result.receipts} receipts` : ""}; ` +
        `${result.total.accepted} accepted, ${result.total.delivered} delivered in order and acked`,
    );
    return figures;
  } finally {
    await server.stop();
    if (profileFolder !== undefined) console.log(`profile in ${profileFolder}`);
  }
}

const round = (ms: number) => Math.round(ms * 100) / 100;
const percent = (share: number) => `${Math.round(share * 100)} %`;
