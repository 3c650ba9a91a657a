import { randomUUID } from "node:crypto";
import { generate } from "../generator/generate.ts";
import { Histogram } from "../measure/histogram.ts";
import { round } from "../measure/round.ts";
import type { StartTarget } from "../servers/target.ts";

export interface PairsLoad {
  readonly name: string;
  readonly pairs: number;
  readonly window: number;
  readonly receipts: boolean;
  readonly messagesPerSecond?: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
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
  start: StartTarget,
  { name, warmUpSeconds, seconds, ...load }: PairsLoad,
): Promise<PairsFigures> {
  const { network, port, pids, stop } = await start();
  try {
    const result = await generate({
      kind: "pairs",
      network,
      port,
      world: randomUUID(),
      serverPids: pids,
      ...load,
      warmUpMs: warmUpSeconds * 1000,
      measureMs: seconds * 1000,
    });
    const latency = Histogram.from(result.latency);
    const figures = {
      deliveredPerSecond: round(result.delivered / result.seconds),
      deliveredPerCpuSecond: round(result.delivered / result.serverCpuSeconds),
      p50Ms: round(latency.percentileMs(0.5), 2),
      p99Ms: round(latency.percentileMs(0.99), 2),
      p999Ms: round(latency.percentileMs(0.999), 2),
    };
    const cpu = result.serverCpuSeconds / result.seconds;
    const own = result.generatorCpuSeconds / result.seconds;
    const others = result.otherCpuSeconds / result.seconds;
    console.log(
      `${name}: ${figures.deliveredPerSecond} delivered/s, ${figures.deliveredPerCpuSecond} per CPU-second ` +
        `(server ${percent(cpu)}, generator ${percent(own)}, other programs ${percent(others)} of a core), ` +
        `p50 ${figures.p50Ms} p99 ${figures.p99Ms} p999 ${figures.p999Ms} ms` +
        `${load.receipts ? `, ${result.receipts} receipts` : ""}; ` +
        `${result.total.accepted} accepted, ${result.total.delivered} delivered in order and acked`,
    );
    return figures;
  } finally {
    await stop();
  }
}

const percent = (share: number) => `${round(100 * share)} %`;
