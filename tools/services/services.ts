/**
 * `npm run services -- up NAME…`: real servers on loopback, with their data in a temporary folder; prints one
 * JSON line for each. `-- down` ends them by their own pids, and takes their data away.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { installMissing } from "./debian.ts";
import { startEjabberd } from "./ejabberd.ts";
import { startMosquitto } from "./mosquitto.ts";
import { startPostgres } from "./postgres.ts";
import { end, type Running } from "./running.ts";

interface Service {
  readonly packages: readonly string[];
  /** With its data in that folder. */
  start(folder: string): Promise<Running>;
}

const SERVICES: Readonly<Record<string, Service>> = {
  postgres: {
    packages: ["postgresql"],
    start: startPostgres,
  },
  ejabberd: {
    packages: ["ejabberd", "erlang-p1-pgsql", "postgresql"],
    start: startEjabberd,
  },
  mosquitto: { packages: ["mosquitto"], start: startMosquitto },
};

const USAGE = `usage: npm run services -- up [${Object.keys(SERVICES).join("|")}]… | down  [--folder DIR]\n`;

const { values, positionals } = parseArgs({
  options: { folder: { type: "string" } },
  allowPositionals: true,
});
const folder = values.folder ?? path.join(os.tmpdir(), `parley-services-${process.getuid?.()}`);
const state = path.join(folder, "running.json");
const [command, ...names] = positionals;

if (command === "up") await up(names.length > 0 ? names : Object.keys(SERVICES));
else if (command === "down") await down();
else {
  process.stderr.write(USAGE);
  process.exitCode = 64;
}

async function up(wanted: readonly string[]): Promise<void> {
  const services = wanted.map((name) => {
    const service = SERVICES[name];
    if (service === undefined) throw new Error(`there is no service ${name}; ${USAGE}`);
    return { name, ...service };
  });
  installMissing(services.flatMap(({ packages }) => packages));
  if (fs.existsSync(state)) throw new Error(`${state}: take down first what is up`);
  makePassage(folder);
  const running: Running[] = [];
  for (const service of services) {
    const place = path.join(folder, service.name);
    makePassage(place);
    const started = await service.start(place);
    running.push(started);
    fs.writeFileSync(state, JSON.stringify(running));
    console.log(JSON.stringify(started));
  }
}

/** Each server has a user of its own, who must come through to his own folder. */
function makePassage(place: string): void {
  fs.mkdirSync(place, { recursive: true });
  fs.chmodSync(place, 0o711);
}

async function down(): Promise<void> {
  if (fs.existsSync(state)) {
    const running: readonly Running[] = JSON.parse(fs.readFileSync(state, "utf8"));
    for (const { pids } of running) await end(pids);
  }
  fs.rmSync(folder, { recursive: true, force: true });
}
