import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { examples } from "../device-command.ts";

const SERVER_MAIN = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
/** A process that died of a signal ends with this and the signal's number, as shells say it. */
const SIGNALLED = 128;

export function addServe(parley: Command): void {
  parley
    .command("serve")
    .description("run a server with everything embedded, until it is stopped")
    .option("--data <dir>", "where it keeps its data (default: ./data)")
    .option("--port <n>", "0: any free port, printed")
    .addHelpText("after", examples("parley serve", "parley serve --data /srv/parley --port 7420"))
    .action(serve);
}

/** The server is a program of its own: nothing of it is imported, and its exit status is ours. */
async function serve(options: { data?: string; port?: string }): Promise<void> {
  const asked = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  // In a group of its own, so that ^C on a terminal reaches it once: through us.
  const child = spawn(process.execPath, [SERVER_MAIN, ...asked], {
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
