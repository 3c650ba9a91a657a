import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { setTimeout as after } from "node:timers/promises";

/** A real server on loopback, as `services up` prints it. */
export interface Running {
  readonly name: string;
  readonly port: number;
  /** What was started for it, in the order in which it is to end; CPU time and memory are theirs and their children's. */
  readonly pids: readonly number[];
  /** Where it keeps what it is given. */
  readonly dataFolders: readonly string[];
  /** What one needs to know to use it. */
  readonly details?: Readonly<Record<string, string | number>>;
}

/** The user that a program runs as: some refuse root. Whoever is not root starts it as himself. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

export function userNamed(name: string): User {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout);
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** A folder that this user owns, and nobody else enters. */
export function folderOf(user: User, folder: string): string {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  return folder;
}

export interface Start {
  readonly user: User;
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It is up when this port answers. */
  readonly port: number;
}

const START_MS_MAX = 60_000;
const END_MS_MAX = 20_000;
const POLL_MS = 50;

/** Starts a program that outlives this one, its output in `FOLDER/output.log`; resolves with its pid. */
export async function start(command: readonly string[], options: Start): Promise<number> {
  const { user, folder, env, port } = options;
  const log = `${folder}/output.log`;
  const output = fs.openSync(log, "a");
  const [program, ...args] = command;
  const child = spawn(program as string, args, {
    ...user,
    cwd: folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", output, output],
  });
  fs.closeSync(output);
  await answering(port, child, log);
  child.unref();
  return child.pid as number;
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answering(port: number, child: ChildProcess, log: string): Promise<void> {
  let failure: Error | undefined;
  child.on("error", (cause) => {
    failure = cause;
  });
  for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await after(POLL_MS)) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null)
      throw new Error(`${child.spawnfile} ended: ${fs.readFileSync(log, "utf8").slice(-2000)}`);
    if (await answers(port)) return;
  }
  child.kill("SIGKILL");
  throw new Error(
    `${child.spawnfile} does not answer: ${fs.readFileSync(log, "utf8").slice(-2000)}`,
  );
}

/** One after the other: whoever uses another ends before it. */
export async function end(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await endOne(pid);
}

async function endOne(pid: number): Promise<void> {
  // PostgreSQL takes SIGINT for "now, cleanly"; the others take it for SIGTERM.
  for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
    if (!send(pid, signal)) return;
    for (const deadline = Date.now() + END_MS_MAX; Date.now() < deadline; await after(POLL_MS))
      if (!send(pid, 0)) return;
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // It has ended.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
