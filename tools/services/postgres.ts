import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { folderOf, freePort, type Running, start, type User, userNamed } from "./running.ts";

/** Where Debian keeps what is not for everybody's path. */
const VERSIONS = "/usr/lib/postgresql";
/** A quarter of a small machine, which is what its manual advises; the rest is as it is shipped. */
const SHARED_BUFFERS = "512MB";

/** PostgreSQL with one database and one user, both named parley, trusted on loopback. Durable, as it is by default. */
export async function startPostgres(folder: string): Promise<Running> {
  const user = userNamed("postgres");
  const home = folderOf(user, `${folder}/postgres`);
  const data = `${home}/data`;
  runAs(user, [program("initdb"), "-D", data, "-U", "parley", "-A", "trust", "-E", "UTF8"]);
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    `unix_socket_directories=${home}`,
    `shared_buffers=${SHARED_BUFFERS}`,
    "fsync=on",
    "synchronous_commit=on",
  ];
  const flags = settings.flatMap((setting) => ["-c", setting]);
  const pid = await start([program("postgres"), "-D", data, ...flags], {
    user,
    folder: home,
    port,
  });
  const running = {
    name: "postgres",
    port,
    pids: [pid],
    // Its tables: the log beside them comes and goes.
    dataFolders: [`${data}/base`],
    details: { user: "parley" },
  };
  await ready(running);
  runSql(running, "CREATE DATABASE parley", "postgres");
  return running;
}

/** Runs statements, or those of a file (`\i FILE`). */
export function runSql({ port }: Running, sql: string, database = "parley"): void {
  const at = ["-h", "127.0.0.1", "-p", String(port), "-U", "parley", "-d", database];
  runAs({}, ["psql", ...at, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], sql);
}

/** Its port answers a moment before it takes anybody in. */
async function ready({ port }: Running): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { status } = spawnSync("pg_isready", ["-q", "-h", "127.0.0.1", "-p", String(port)]);
    if (status === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("PostgreSQL takes nobody in");
}

function program(name: string): string {
  const newest = fs.readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return `${VERSIONS}/${newest}/bin/${name}`;
}

function runAs(user: User, [command, ...args]: readonly string[], input = ""): void {
  const { status, stderr, error } = spawnSync(command as string, args, {
    ...user,
    cwd: "/",
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
