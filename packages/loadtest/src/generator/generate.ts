import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, Results } from "./job.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

export interface Generator<Result> {
  /** For jobs that go on until they are finished. */
  readonly ready: Promise<void>;
  readonly result: Promise<Result>;
  finish(): Promise<Result>;
}

/** Runs a job in a process of its own, to its end. */
export function generate<J extends Job>(job: J): Promise<Results[J["kind"]]> {
  return startGenerator(job).result;
}

export function startGenerator<J extends Job>(job: J): Generator<Results[J["kind"]]> {
  type Result = Results[J["kind"]];
  const child = fork(MAIN, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const ready = Promise.withResolvers<void>();
  const result = Promise.withResolvers<Result>();
  const fail = (cause: Error) => {
    ready.reject(cause);
    result.reject(cause);
  };
  ready.promise.catch(() => undefined);
  child.on("message", (answer: "ready" | { result: Result } | { error: string }) => {
    if (answer === "ready") ready.resolve();
    else if ("error" in answer) fail(new Error(`the load failed: ${answer.error}`));
    else result.resolve(answer.result);
  });
  child.on("exit", (code, signal) => {
    process.removeListener("exit", kill);
    fail(new Error(`the load generator ended with ${signal ?? code}`));
  });
  child.send(job);
  return {
    ready: ready.promise,
    result: result.promise,
    finish: () => {
      child.send("finish");
      return result.promise;
    },
  };
}
