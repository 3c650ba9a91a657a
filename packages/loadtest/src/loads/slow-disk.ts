import { randomUUID } from "node:crypto";
import { generate, startGenerator } from "../generator/generate.ts";
import { Histogram } from "../measure/histogram.ts";
import { round } from "../measure/round.ts";
import { startParley } from "../servers/parley-server.ts";
import { buildSlowDisk } from "../slow-disk/build-slow-disk.ts";

const WRITERS = ["thread", "main"] as const;
const PAIRS = 20;
/** Enough that a commit is always under way. */
const MESSAGES_PER_SECOND = 500;
const PING_EVERY_MS = 20;
const WARM_UP_MS = 2_000;

/** How long a ping takes while each fsync takes 50 ms, with the store's writer in a thread and in the loop. */
export async function measureSlowDisk(seconds: number): Promise<void> {
  const disk = buildSlowDisk();
  if (disk === undefined) {
    console.log("slow disk: LEFT OUT, it needs Linux and a C compiler (Debian: gcc libc6-dev)");
    return;
  }
  try {
    for (const writer of WRITERS) await measureWriter(writer, disk.library, seconds);
  } finally {
    disk.remove();
  }
}

async function measureWriter(writer: string, library: string, seconds: number): Promise<void> {
  const { network, port, pids, stop } = await startParley({
    env: { LD_PRELOAD: library },
    args: ["--store.writer", writer],
  });
  try {
    const place = { network, port, world: randomUUID() };
    const person = { ...place, from: 0, to: 1 };
    const pings = startGenerator({ kind: "pings", ...person, everyMs: PING_EVERY_MS });
    await pings.ready;
    const result = await generate({
      kind: "pairs",
      ...place,
      world: randomUUID(),
      serverPids: pids,
      pairs: PAIRS,
      window: 1,
      messagesPerSecond: MESSAGES_PER_SECOND,
      receipts: false,
      warmUpMs: WARM_UP_MS,
      measureMs: seconds * 1000,
    });
    const roundTrips = Histogram.from((await pings.finish()).roundTrips);
    const latency = Histogram.from(result.latency);
    console.log(
      `slow disk: each fsync takes 50 ms, writer in ${writer}: ping p50 ${ms(roundTrips, 0.5)} p99 ` +
        `${ms(roundTrips, 0.99)} ms; messages at ${MESSAGES_PER_SECOND}/s p50 ${ms(latency, 0.5)} ` +
        `p99 ${ms(latency, 0.99)} ms`,
    );
  } finally {
    await stop();
  }
}

const ms = (histogram: Histogram, share: number) => round(histogram.percentileMs(share), 1);
