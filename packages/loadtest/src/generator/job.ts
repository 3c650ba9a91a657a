import type { HistogramData } from "../measure/histogram.ts";

/** What a generator process is told to do; it answers with one result and ends. */
export type Job = PairsJob;

export interface PairsJob {
  readonly kind: "pairs";
  readonly port: number;
  /** Whose CPU time is read at both ends of the measurement. */
  readonly serverPids: readonly number[];
  readonly pairs: number;
  /** Messages of one sender that are not accepted yet. */
  readonly window: number;
  /** Undefined: as fast as the window lets them. */
  readonly messagesPerSecond?: number;
  readonly receipts: boolean;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface PairsResult {
  readonly delivered: number;
  readonly receipts: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  readonly latency: HistogramData;
  /** Of the whole run, after everything came to rest. */
  readonly total: { readonly accepted: number; readonly delivered: number };
}
