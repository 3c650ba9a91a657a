import type { Figures, Load } from "./run-load.ts";

/** Of one server, by load. */
export type Measured = Partial<Record<Load, Figures & { readonly messagesPerSecond?: number }>>;

/** A column a server, in Markdown. */
export function peersTable(measured: Readonly<Record<string, Measured>>): string {
  const names = Object.keys(measured);
  const cells = (of: Cell) => Object.values(measured).map((each) => String(of(each) ?? "–"));
  const rows = [
    ["", ...names],
    ["---", ...names.map(() => "---:")],
    ...ROWS.map(([what, of]) => [what, ...cells(of)]),
  ];
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

type Cell = (measured: Measured) => number | string | undefined;

const ROWS: readonly (readonly [what: string, of: Cell])[] = [
  ["window 8: delivered/s", ({ window8 }) => window8?.deliveredPerSecond],
  ["window 8: per CPU-second", ({ window8 }) => window8?.deliveredPerCpuSecond],
  ["window 1: delivered/s", ({ window1 }) => window1?.deliveredPerSecond],
  ["window 1: per CPU-second", ({ window1 }) => window1?.deliveredPerCpuSecond],
  [
    "window 8, receipts: per CPU-second",
    (measured) => measured["window8-receipts"]?.deliveredPerCpuSecond,
  ],
  [
    "window 1, receipts: per CPU-second",
    (measured) => measured["window1-receipts"]?.deliveredPerCpuSecond,
  ],
  ["paced: messages/s", ({ paced }) => paced?.messagesPerSecond],
  [
    "paced: p50 / p99 / p999 ms",
    ({ paced }) => paced && `${paced.p50Ms} / ${paced.p99Ms} / ${paced.p999Ms}`,
  ],
  ["idle connection, KiB", ({ idle }) => idle?.idleConnectionKiB],
  ["backlog drained, messages/s", ({ backlog }) => backlog?.backlogDrainPerSecond],
  ["bytes kept per message", ({ backlog }) => backlog?.bytesPerMessage],
];
