import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { RAISED_LIMITS } from "./raised-limits.ts";
import type { Target } from "./target.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const MAIN = path.join(ROOT, "packages/server/src/main.ts");

export interface ParleyOptions {
  /** More settings, as flags. */
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Parley in a process of its own, on a data folder of its own, its limits raised by configuration. */
export async function startParley(options: ParleyOptions = {}): Promise<Target> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-bench-"));
  fs.writeFileSync(configOf(folder), RAISED_LIMITS);
  return startIn(folder, options);
}

async function startIn(folder: string, options: ParleyOptions): Promise<Target> {
  const dataFolder = path.join(folder, "data");
  const args = [
    ...nodeArgsOfStart(),
    ...(options.nodeArgs ?? []),
    MAIN,
    ...["--config", configOf(folder), "--data", dataFolder, "--port", "0", "--log", "warn"],
    ...(options.args ?? []),
  ];
  const env = { ...process.env, ...options.env };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // Whatever ends this program ends the server.
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const port = await listening(child, exited);
  const end = async () => {
    child.kill("SIGTERM");
    await exited;
    process.removeListener("exit", kill);
  };
  return {
    network: "parley",
    port,
    pids: [child.pid as number],
    dataFolders: [dataFolder],
    again: async () => {
      await end();
      return startIn(folder, options);
    },
    stop: async () => {
      await end();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What `npm start` gives to Node: what is measured is what people run. */
function nodeArgsOfStart(): string[] {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
  return /\bnode (.*)packages\/server/.exec(scripts.start)?.[1]?.split(" ").filter(Boolean) ?? [];
}

const configOf = (folder: string) => path.join(folder, "parley.toml");

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
