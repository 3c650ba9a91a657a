import type { HistogramData } from "../measure/histogram.ts";
import type { Place } from "../networks/open-network.ts";

/** What a generator process is told to do; it answers with one result and ends. */
export type Job = PairsJob | SignUpJob | ConnectionsJob | FillJob | DrainJob | PingsJob;

/** By the kind of the job. */
export interface Results {
  readonly pairs: PairsResult;
  readonly signUp: { readonly seconds: number };
  readonly connections: { readonly lost: number };
  readonly fill: { readonly accepted: number; readonly seconds: number };
  readonly drain: DrainResult;
  readonly pings: { readonly roundTrips: HistogramData };
}

export interface PairsJob extends Place {
  readonly kind: "pairs";
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
  /** Of everything else on the machine: figures of a busy one say little. */
  readonly otherCpuSeconds: number;
  readonly latency: HistogramData;
  /** Of the whole run, after everything came to rest. */
  readonly total: { readonly accepted: number; readonly delivered: number };
}

/** `from` and those behind him, below `to`. */
export interface People extends Place {
  readonly from: number;
  readonly to: number;
}

/** Makes the accounts, and leaves. */
export interface SignUpJob extends People {
  readonly kind: "signUp";
}

/** Logs them in, says that it is ready, and does nothing until it is told to finish. */
export interface ConnectionsJob extends People {
  readonly kind: "connections";
}

/** Every account writes that many messages to the one that has its number behind `to`, who is away. */
export interface FillJob extends People {
  readonly kind: "fill";
  readonly messagesEach: number;
  readonly window: number;
}

/** They connect at once and take what waits for them. */
export interface DrainJob extends People {
  readonly kind: "drain";
  readonly messagesEach: number;
  readonly serverPids: readonly number[];
}

export interface DrainResult {
  readonly drained: number;
  /** From the first hello until the server has seen the last ack. */
  readonly seconds: number;
  readonly serverCpuSeconds: number;
}

/** Pings at a pace until it is told to finish. */
export interface PingsJob extends People {
  readonly kind: "pings";
  readonly everyMs: number;
}
