import { inspectStore } from "../compose.ts";
import { loopbackOrigins } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { type ReadConfig, readConfig } from "../config/read-config.ts";
import type { Environment } from "../config/read-environment.ts";
import { checkClock } from "./check-clock.ts";
import { checkDisk } from "./check-disk.ts";
import { checkExposure } from "./check-exposure.ts";
import { checkFolder } from "./check-folder.ts";
import { checkOrigin } from "./check-origin.ts";
import { checkPort } from "./check-port.ts";
import { checkRunning } from "./check-running.ts";
import { judgeStore } from "./check-store.ts";
import { checkSystem } from "./check-system.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** Something is wrong; a warning is nothing that a script should stop at. */
const EXIT_PROBLEM = 1;
const HOLD_SECONDS_MAX = 600;

/** `doctor [--json] [--hold SECONDS]`, and the options of the server. Prints each finding as it is made. */
export async function doctorCommand(
  args: readonly string[],
  env: Environment,
  print: (text: string) => void,
): Promise<number | "help"> {
  const read = readConfig(args, env, { json: "switch", hold: "value" });
  if (read === "help") return "help";
  const asJson = read.extras.has("json");
  const counts = { ok: 0, warning: 0, problem: 0 };
  for await (const finding of examine(read, holdMsOf(read))) {
    counts[finding.level]++;
    print(asJson ? `${JSON.stringify(finding)}\n` : lineOf(finding));
  }
  if (!asJson) print(`\nproblems: ${counts.problem}, warnings: ${counts.warning}\n`);
  return counts.problem === 0 ? 0 : EXIT_PROBLEM;
}

function holdMsOf({ extras }: ReadConfig): number {
  const seconds = Number(extras.get("hold") ?? 0);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= HOLD_SECONDS_MAX)
    return seconds * 1000;
  const says = `takes a whole number of seconds from 0 to ${HOLD_SECONDS_MAX}`;
  throw new ConfigError([{ where: "--hold", says, isUsage: true }]);
}

/** From the inside out: the machine, the folder, the store, the server, its address. */
async function* examine(read: ReadConfig, holdMs: number): AsyncGenerator<Finding> {
  const { config, file, said } = read;
  const { dataFolder, settings } = config;
  yield findingsOf("configuration").ok(
    `${file ?? "no file"}, ${said.size} settings said (config show lists them)`,
  );
  yield* checkSystem(config);
  yield* await checkClock();
  const folder = checkFolder(dataFolder);
  yield* folder;
  const store = inspectStore(dataFolder);
  if (store.state !== "none" && folder.every(({ level }) => level !== "problem"))
    yield* checkDisk(dataFolder);
  yield* judgeStore(store, Date.now());
  const isRunning = store.state === "in use";
  yield* isRunning ? await checkRunning(config) : await checkPort(config);
  yield* checkExposure(config);
  const origins = settings.origins.length > 0 ? settings.origins : loopbackOrigins(config.port);
  if (isRunning && config.port + settings.origins.length > 0)
    for (const origin of origins.slice(0, settings.origins.length || 1))
      yield* await checkOrigin(origin, holdMs);
  else
    yield findingsOf("address").ok(
      "not tried, because no server runs on this folder: start it, and run the doctor again",
    );
}

const SIGNS = { ok: "ok     ", warning: "warning", problem: "PROBLEM" } as const;

function lineOf({ check, level, says, advice }: Finding): string {
  const line = `${SIGNS[level]}  ${check}: ${says}\n`;
  return advice === undefined ? line : `${line}         ${advice}\n`;
}
