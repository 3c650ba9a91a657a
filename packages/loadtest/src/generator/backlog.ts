import { cpuSecondsOf } from "../measure/process-usage.ts";
import type { Endpoint, Network } from "../networks/network.ts";
import { openNetwork } from "../networks/open-network.ts";
import { forEveryone } from "./for-everyone.ts";
import type { DrainJob, DrainResult, FillJob, Results } from "./job.ts";

export async function fill(job: FillJob): Promise<Results["fill"]> {
  const network = openNetwork(job);
  const writers = await forEveryone(job, (number) => Writer.open(network, number, job));
  const began = performance.now();
  const accepted = await Promise.all(writers.map((writer) => writer.write()));
  const seconds = (performance.now() - began) / 1000;
  return { accepted: accepted.reduce((sum, each) => sum + each, 0), seconds };
}

export async function drain(job: DrainJob): Promise<DrainResult> {
  const network = openNetwork(job);
  // As far as nothing is delivered yet: the drain is what is measured.
  const waiting = await forEveryone(job, (number) => network.openDrain(number, job.messagesEach));
  const cpuBefore = cpuSecondsOf(job.serverPids);
  const began = performance.now();
  const drained = await Promise.all(waiting.map((take) => take()));
  return {
    drained: drained.reduce((sum, each) => sum + each, 0),
    seconds: (performance.now() - began) / 1000,
    serverCpuSeconds: cpuSecondsOf(job.serverPids) - cpuBefore,
  };
}

/** Writes to somebody who is away. */
class Writer {
  readonly #job: FillJob;
  readonly #done = Promise.withResolvers<number>();
  #endpoint: Endpoint | undefined;

  private constructor(job: FillJob) {
    this.#job = job;
  }

  static async open(network: Network, number: number, job: FillJob): Promise<Writer> {
    const writer = new Writer(job);
    const reader = job.to + number - job.from;
    writer.#endpoint = await network.join(number, reader, {
      accepted: (count) => writer.#accepted(count),
      delivered: () => undefined,
      batch: () => undefined,
      failed: (cause) => writer.#done.reject(cause),
    });
    return writer;
  }

  async write(): Promise<number> {
    this.#endpoint?.send(Math.min(this.#job.window, this.#job.messagesEach));
    const accepted = await this.#done.promise;
    this.#endpoint?.close();
    return accepted;
  }

  #accepted(count: number): void {
    const { sent = 0, accepted = 0 } = this.#endpoint ?? {};
    const left = this.#job.messagesEach - sent;
    if (left > 0) this.#endpoint?.send(Math.min(count, left));
    else if (accepted === sent) this.#done.resolve(accepted);
  }
}
