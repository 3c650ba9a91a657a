import { measureBacklog } from "./loads/backlog.ts";
import { measureIdle } from "./loads/idle.ts";
import { measurePairs, type PairsLoad } from "./loads/pairs.ts";
import type { BenchOptions } from "./options.ts";
import type { StartTarget } from "./servers/target.ts";

/** In the order in which they run. Any server can take them. */
export const LOADS = [
  "window8",
  "window1",
  "window8-receipts",
  "window1-receipts",
  "paced",
  "idle",
  "backlog",
] as const;
export type Load = (typeof LOADS)[number];

/** As a benchmark's last line names them. */
export const KEYS = [
  "deliveredPerSecond",
  "deliveredPerCpuSecond",
  "p50Ms",
  "p99Ms",
  "p999Ms",
  "idleConnectionKiB",
  "backlogDrainPerSecond",
  "fanOutPerCpuSecond",
  "lastMemberP99Ms",
  "bytesPerMessage",
] as const;
export type Figures = Partial<Record<(typeof KEYS)[number], number | undefined>>;

/** One load on a server of its own, told to whoever reads; resolves with all that it measured. */
export async function runLoad(
  load: Load,
  start: StartTarget,
  options: BenchOptions,
): Promise<Figures> {
  const { pairs, warmUpSeconds, seconds, messagesPerSecond } = options;
  const usual = { pairs, warmUpSeconds, seconds, receipts: false };
  const measured = (name: string, more: Pick<PairsLoad, "window"> & Partial<PairsLoad>) =>
    measurePairs(start, { ...usual, name, ...more });
  switch (load) {
    case "window8":
      return measured("window 8", { window: 8 });
    case "window1":
      return measured("window 1", { window: 1 });
    case "window8-receipts":
      return measured("window 8, receipts", { window: 8, receipts: true });
    case "window1-receipts":
      return measured("window 1, receipts", { window: 1, receipts: true });
    case "paced":
      return measured(`at ${messagesPerSecond}/s`, { window: 1, messagesPerSecond });
    case "idle":
      return { idleConnectionKiB: await measureIdle(start, options) };
    case "backlog":
      return measureBacklog(start, options);
  }
}
