import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";

const SERVER_MAIN = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
/**
 * As `npm start` has it: what V8 keeps for young objects is else as much as 5,000 idle connections take, and what
 * came from the network is else collected when 64 MB of it have come together.
 */
const NODE_ARGS = ["--max-semi-space-size=8", "--external-memory-max-growing-factor=1.2"];
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
/** A process that died of a signal ends with this and the signal's number, as shells say it. */
const SIGNALLED = 128;

/**
 * A command that the server's main does: every word of it is passed on as it is. The server is a program of
 * its own: nothing of it is imported, it refuses what it does not know, and its exit status is ours.
 */
export function serverCommand(parent: Command, name: string): Command {
  return parent
    .command(name)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_, command: Command) => runServer(rawArguments(command)));
}

/** Those that have a short name: for the help and for completion. */
export function serverOptions(command: Command): Command {
  return command
    .option("--data <dir>", "where the server keeps its data (default: ./data)")
    .option("--port <n>", "where it listens (default: 7420); 0: any free port, printed")
    .option("--host <address>", "default: 127.0.0.1")
    .option("--origin <url>", "under which clients find it, as often as needed")
    .option("--sign-up <who>", "who may make an account")
    .option("--sends <n>", "durable messages a minute from one account")
    .option("--log <level>", "silent, error, warn, info or debug")
    .option("--config <file>", "default: parley.toml in the data folder, or here");
}

const AFTER_NODE_AND_SCRIPT = 2;

function rawArguments(command: Command): readonly string[] {
  let top = command;
  while (top.parent) top = top.parent;
  // What commander was given: its types leave it out.
  const { rawArgs } = top as Command & { readonly rawArgs: readonly string[] };
  return rawArgs.slice(AFTER_NODE_AND_SCRIPT);
}

async function runServer(args: readonly string[]): Promise<void> {
  // In a group of its own, so that ^C on a terminal reaches it once: through us.
  const child = spawn(process.execPath, [...NODE_ARGS, SERVER_MAIN, ...args], {
    stdio: "inherit",
    detached: true,
  });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      resolve(code ?? SIGNALLED + constants.signals[signal ?? "SIGKILL"]),
    );
  });
}
