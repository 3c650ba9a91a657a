import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Names of loads. */
  readonly only: readonly string[];
  /** Names of servers. */
  readonly on: readonly string[];
  readonly pairs: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly messagesPerSecond: number;
  readonly connections: number;
  readonly restSeconds: number;
  readonly backlogMessages: number;
  readonly settleSeconds: number;
  readonly cpuProfile: boolean;
}

export const USAGE = `usage: npm run bench -- [options]       Parley
       npm run bench:peers -- [options] beside ejabberd and Mosquitto

  --only LOAD       one load, as often as needed (default: all)
  --on SERVER       one server, as often as needed (bench:peers; default: all)
  --quick           all in less than a minute: shorter, fewer, and no figures to quote
  --pairs N         who writes and who reads, each one device (default 100)
  --seconds N       of each measurement (default 8)
  --warm-up N       seconds before it (default 3)
  --rate N          messages a second where they are paced (default 5000)
  --connections N   idle ones (default 10000)
  --rest N          seconds that they are idle (default 60)
  --backlog N       messages (default 100000)
  --settle N        seconds between writing the backlog and draining it (default 40)
  --cpu-prof        profile the server of each load; the folder is printed (bench)
  --help
`;

const FULL = {
  ...{ pairs: 100, seconds: 8, "warm-up": 3, rate: 5_000 },
  ...{ connections: 10_000, rest: 60, backlog: 100_000, settle: 40 },
};
const QUICK = {
  ...FULL,
  ...{ seconds: 2, "warm-up": 1 },
  ...{ connections: 1000, rest: 3, backlog: 10_000, settle: 3 },
};
type Numbers = keyof typeof FULL;

/** What `--only` and `--on` may name. */
interface Names {
  readonly only: readonly string[];
  readonly on?: readonly string[];
}

export function readOptions(args: readonly string[], names: Names): BenchOptions | "help" {
  const number = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      on: { type: "string", multiple: true },
      quick: { type: "boolean" },
      ...{ pairs: number, seconds: number, "warm-up": number, rate: number },
      ...{ connections: number, rest: number, backlog: number, settle: number },
      "cpu-prof": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  const usual = values.quick ? QUICK : FULL;
  const numberOf = (name: Numbers) => positive(name, values[name] ?? String(usual[name]));
  return {
    only: oneOf("only", values.only, names.only),
    on: oneOf("on", values.on, names.on ?? []),
    pairs: numberOf("pairs"),
    seconds: numberOf("seconds"),
    warmUpSeconds: numberOf("warm-up"),
    messagesPerSecond: numberOf("rate"),
    connections: numberOf("connections"),
    restSeconds: numberOf("rest"),
    backlogMessages: numberOf("backlog"),
    settleSeconds: numberOf("settle"),
    cpuProfile: values["cpu-prof"] ?? false,
  };
}

function oneOf(
  flag: string,
  given: readonly string[] | undefined,
  names: readonly string[],
): readonly string[] {
  const wrong = given?.find((name) => !names.includes(name));
  if (wrong === undefined) return given ?? names;
  throw new Error(`--${flag} takes one of ${names.join(", ")}, not ${wrong}`);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`--${name} takes a number above 0, not ${text}`);
}
