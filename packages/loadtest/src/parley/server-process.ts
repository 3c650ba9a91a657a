import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));
/** Loads are faster than people: no budget may decide what is measured. */
const LIMITS_RAISED = ["--sends", "1000000000"];

export interface ServerOptions {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  /** What stands before `node`: strace and its arguments. */
  readonly under?: readonly string[];
  readonly dataFolder?: string;
}

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly dataFolder: string;
  /** Ends it as an operator would. The folder goes too, unless it was given. */
  stop(): Promise<void>;
}

/** Parley in a process of its own, on a data folder of its own. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const dataFolder = options.dataFolder ?? fs.mkdtempSync(path.join(os.tmpdir(), "parley-bench-"));
  const [program, ...args] = [
    ...(options.under ?? []),
    process.execPath,
    ...(options.nodeArgs ?? []),
    MAIN,
    ...["--data", dataFolder, "--port", "0", "--log", "warn"],
    ...LIMITS_RAISED,
    ...(options.args ?? []),
  ];
  const child = spawn(program as string, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // Whatever ends this program ends the server.
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const port = await listening(child, exited);
  return {
    pid: child.pid as number,
    port,
    dataFolder,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
      process.removeListener("exit", kill);
      if (options.dataFolder === undefined) fs.rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess, exited: Promise<unknown[]>): Promise<number> {
  let output = "";
  const printed = new Promise<number>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const match = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(output);
      if (match !== null) resolve(Number(match[1]));
    });
  });
  const ended = exited.then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  return Promise.race([printed, ended]);
}
