import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program of node_modules/.bin or the path with our output; resolves with its exit code. */
export function run(command: string, args: readonly string[], cwd = ROOT): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: "inherit", env: environment() });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** The same, quietly: its standard output, whatever the exit code. */
export function outputOf(command: string, args: readonly string[], cwd = ROOT): string {
  const done = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: environment(),
    maxBuffer: 2 ** 28,
  });
  if (done.error) throw done.error;
  return done.stdout;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${ROOT}node_modules/.bin:${process.env["PATH"]}` };
}
