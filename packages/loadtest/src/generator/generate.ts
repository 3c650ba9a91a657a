import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, PairsJob, PairsResult } from "./job.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

type ResultOf<J extends Job> = J extends PairsJob ? PairsResult : never;

/** Runs a job in a process of its own. */
export function generate<J extends Job>(job: J): Promise<ResultOf<J>> {
  const child = fork(MAIN, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  return new Promise<ResultOf<J>>((resolve, reject) => {
    child.on("message", (answer: { result: ResultOf<J> } | { error: string }) => {
      if ("error" in answer) reject(new Error(`the load failed: ${answer.error}`));
      else resolve(answer.result);
    });
    child.on("exit", (code, signal) => {
      process.removeListener("exit", kill);
      reject(new Error(`the load generator ended with ${signal ?? code}`));
    });
    child.send(job);
  });
}
