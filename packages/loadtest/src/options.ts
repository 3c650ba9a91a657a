import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Loads by name; empty: all. */
  readonly only: readonly string[];
  readonly pairs: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where the server's CPU profile goes. */
  readonly profileFolder: string | undefined;
}

export const USAGE = `usage: npm run bench -- [options]

  --only LOAD       window8, window1, …: as often as needed (default: all)
  --pairs N         who writes and who reads, each one device (default 100)
  --seconds N       of each measurement (default 8)
  --warm-up N       seconds before it (default 3)
  --cpu-prof        profile the server; the file's name is printed
  --help
`;

export function readOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      pairs: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      "cpu-prof": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  return {
    only: values.only ?? [],
    pairs: positive("--pairs", values.pairs ?? "100"),
    seconds: positive("--seconds", values.seconds ?? "8"),
    warmUpSeconds: positive("--warm-up", values["warm-up"] ?? "3"),
    profileFolder: values["cpu-prof"]
      ? fs.mkdtempSync(path.join(os.tmpdir(), "parley-prof-"))
      : undefined,
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`${flag} takes a number above 0, not ${text}`);
}
