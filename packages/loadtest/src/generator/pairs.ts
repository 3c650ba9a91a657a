import { Histogram } from "../measure/histogram.ts";
import { busySeconds } from "../measure/machine.ts";
import { cpuSecondsOf } from "../measure/process-usage.ts";
import { openNetwork } from "../networks/open-network.ts";
import { forEveryone } from "./for-everyone.ts";
import type { PairsJob, PairsResult } from "./job.ts";
import { pace } from "./pace.ts";
import { Pair } from "./pair.ts";

/** For what is under way at the end. */
const REST_MS_MAX = 30_000;
const REST_POLL_MS = 10;

/** Pairs of people, one of each writes to the other: as fast as a window lets him, or at a pace. */
export async function runPairs(job: PairsJob): Promise<PairsResult> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  const load = new PairsLoad(job, (cause) => failure.reject(cause));
  try {
    return await Promise.race([load.run(), failure.promise]);
  } finally {
    load.close();
  }
}

class PairsLoad {
  readonly #job: PairsJob;
  readonly #fail: (cause: Error) => void;
  #pairs: readonly Pair[] = [];
  readonly #latency = new Histogram();
  /** By when a message was sent, or one that comes late would not count. */
  #measuredFrom = Number.POSITIVE_INFINITY;
  #measuredTo = Number.POSITIVE_INFINITY;

  constructor(job: PairsJob, fail: (cause: Error) => void) {
    this.#job = job;
    this.#fail = fail;
  }

  async run(): Promise<PairsResult> {
    const { warmUpMs, measureMs, serverPids } = this.#job;
    this.#pairs = await this.#connect();
    const stop = this.#start();
    await after(warmUpMs);
    const before = this.#reading(serverPids);
    this.#measuredFrom = performance.now();
    await after(measureMs);
    this.#measuredTo = performance.now();
    const behind = this.#reading(serverPids);
    stop();
    await this.#rest();
    const serverCpuSeconds = behind.serverCpuSeconds - before.serverCpuSeconds;
    const generatorCpuSeconds = behind.ownCpuSeconds - before.ownCpuSeconds;
    const busy = behind.busySeconds - before.busySeconds;
    return {
      delivered: behind.delivered - before.delivered,
      receipts: behind.receipts - before.receipts,
      seconds: (behind.atMs - before.atMs) / 1000,
      serverCpuSeconds,
      generatorCpuSeconds,
      otherCpuSeconds: Math.max(0, busy - serverCpuSeconds - generatorCpuSeconds),
      latency: this.#latency.toJSON(),
      total: { accepted: this.#sum("accepted"), delivered: this.#sum("delivered") },
    };
  }

  close(): void {
    for (const pair of this.#pairs) pair.close();
  }

  #connect(): Promise<Pair[]> {
    const { pairs, receipts, window, messagesPerSecond } = this.#job;
    const network = openNetwork(this.#job);
    const options = { receipts, window: messagesPerSecond === undefined ? window : 0 };
    const events = {
      delivered: (sentAt: number) => {
        if (sentAt >= this.#measuredFrom && sentAt < this.#measuredTo)
          this.#latency.record(performance.now() - sentAt);
      },
      failed: this.#fail,
    };
    return forEveryone({ from: 0, to: pairs }, (i) =>
      Pair.open(network, [2 * i, 2 * i + 1], options, events),
    );
  }

  #start(): () => void {
    const { messagesPerSecond } = this.#job;
    for (const pair of this.#pairs) pair.start();
    let next = 0;
    const unpace =
      messagesPerSecond === undefined
        ? () => undefined
        : pace(messagesPerSecond, () => this.#pairs[next++ % this.#pairs.length]?.sendOne());
    return () => {
      unpace();
      for (const pair of this.#pairs) pair.stop();
    };
  }

  /** Every message that was sent is accepted, delivered and acknowledged, or this throws. */
  async #rest(): Promise<void> {
    const deadline = performance.now() + REST_MS_MAX;
    while (this.#pairs.some((pair) => !pair.isAtRest())) {
      if (performance.now() > deadline)
        throw new Error(
          `of ${this.#sum("sent")} messages ${this.#sum("accepted")} were accepted and ${this.#sum("delivered")} delivered`,
        );
      await after(REST_POLL_MS);
    }
  }

  #reading(serverPids: readonly number[]) {
    const own = process.cpuUsage();
    return {
      atMs: performance.now(),
      delivered: this.#sum("delivered"),
      receipts: this.#sum("receipts"),
      serverCpuSeconds: cpuSecondsOf(serverPids),
      busySeconds: busySeconds(),
      ownCpuSeconds: (own.user + own.system) / 1e6,
    };
  }

  #sum(what: "sent" | "accepted" | "delivered" | "receipts"): number {
    return this.#pairs.reduce((sum, pair) => sum + pair[what], 0);
  }
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
