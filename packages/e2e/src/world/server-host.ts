import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type EmbeddedServer,
  type LogDisk,
  openEmbedded,
  type Ports,
  type ServerSettings,
} from "@parley/server";
import type { History } from "../checker/history.ts";
import { Life, LifeClock } from "../simulation/life.ts";
import type { Network } from "../simulation/network.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import { damageFile } from "./damage-file.ts";
import { DiskHealth, FaultyLogDisk } from "./faulty-log-disk.ts";
import { watchDurable, watchMailboxes } from "./mailbox-watch.ts";
import { PortGate } from "./port-gate.ts";
import type { Counters } from "./sometimes.ts";

/** The least that takes the longest frame: files that fill often. */
const LOG_FILE_BYTES = 2 * 1024 * 1024;

export const SERVER_URL = "http://127.0.0.1:7420";

/** The files of a data folder at one moment, as a copy of a running machine has them. */
export type FolderCopy = ReadonlyMap<string, Uint8Array>;

export interface ServerHostParts {
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly history: History;
  readonly counters: Counters;
  readonly nameOf: (accountId: string) => string;
  readonly isHostile: (name: string) => boolean;
  readonly wakeupsLost: () => number;
  readonly delayMsMax: () => number;
  readonly diskDelayMsMax: () => number;
  /** Undefined: the usual. */
  readonly bufferedBytesMax?: number | undefined;
  readonly plants?: HostPlants | undefined;
  readonly failed: (cause: unknown) => void;
}

/** Planted faults: what tests of the checker put into the machine. */
export interface HostPlants {
  readonly serverPorts?: (ports: Ports, life: Life) => Ports;
  readonly logDisk?: (disk: LogDisk, life: Life) => LogDisk;
  readonly beforeStart?: (folder: string) => void;
}

interface Run {
  readonly server: EmbeddedServer;
  readonly life: Life;
  readonly gate: PortGate;
  readonly ports: Ports;
}

/** The machine that the server runs on: it dies, comes back from the same files, or from older ones. */
export class ServerHost {
  readonly skew = { offsetMs: 0 };
  readonly disk = new DiskHealth();
  readonly #parts: ServerHostParts;
  #run: Run | undefined;
  #runs = 0;
  #beforeDamage: FolderCopy | undefined;

  constructor(parts: ServerHostParts) {
    this.#parts = parts;
    mkdirSync(parts.folder, { recursive: true });
  }

  get isUp(): boolean {
    return this.#run !== undefined;
  }

  get ports(): Ports | undefined {
    return this.#run?.ports;
  }

  start(): void {
    if (this.#run !== undefined) return;
    try {
      this.#start();
    } catch (cause) {
      if (!this.#isRefused(cause)) throw cause;
      this.#start();
    }
    this.#beforeDamage = undefined;
  }

  #start(): void {
    const { clock, network, history, counters, folder } = this.#parts;
    const random = this.#parts.random.stream(`run ${++this.#runs}`);
    const life = new Life();
    const kill = (why: string) => this.#kill(life, why);
    const gate = new PortGate(
      { ...this.#parts, clock, counters, random: random.stream("gate"), kill },
      life,
    );
    this.#parts.plants?.beforeStart?.(folder);
    this.disk.hasFailed = false;
    let bare: Ports | undefined;
    const bytes = random.stream("bytes");
    const server = openEmbedded({
      dataFolder: folder,
      clock: new LifeClock(clock, life, this.skew),
      random: (count) => bytes.bytes(count),
      config: this.#config(),
      logDisk: this.#logDisk(random.stream("disk"), life),
      onFatal: (cause) => this.#diskFailed(life, cause),
      log: this.#log(),
      wrapPorts: (ports) => {
        bare = ports;
        const durable = watchDurable(ports, history);
        const planted = this.#parts.plants?.serverPorts?.(durable, life) ?? durable;
        return gate.around(watchMailboxes(planted, history, this.#parts));
      },
    });
    this.#run = { server, life, gate, ports: bare as Ports };
    network.listen((transport) => server.accept(transport), life);
    history.add("server", { f: "start", incarnation: this.#runs });
  }

  kill(why: string): void {
    if (this.#run !== undefined) this.#kill(this.#run.life, why);
  }

  killIn(calls: number, when: "before" | "after"): void {
    this.#run?.gate.killIn(calls, when);
  }

  /** As SIGTERM: what is under way is finished. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#parts.history.add("server", { f: "fault", fault: "server stopped", detail: "" });
    await run.server.stop();
    run.life.end();
    if (this.#run === run) this.#run = undefined;
  }

  /** What was still to happen to this run of it, and to its disk, does not. */
  spare(): void {
    this.#run?.gate.spare();
    this.disk.isFull = false;
    this.disk.writesToFailure = undefined;
  }

  setFull(isFull: boolean): void {
    if (this.#run !== undefined) this.#run.gate.isFull = isFull;
  }

  /** Of a damaged store nobody makes one. */
  copy(): FolderCopy {
    const { folder } = this.#parts;
    if (this.#beforeDamage !== undefined) return this.#beforeDamage;
    return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  }

  /** The machine is put back to an older state. It is down afterwards. */
  restore(copy: FolderCopy): void {
    const { folder } = this.#parts;
    this.kill("for a restore");
    this.#beforeDamage = undefined;
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    for (const [name, bytes] of copy) writeFileSync(join(folder, name), bytes);
  }

  /** While the server is down, as disks rot. */
  damageLog(random: SeededRandom): void {
    if (this.#damage("log damaged", /^mail-\d\.log$/, random)) this.disk.isDamaged = true;
  }

  /** The same for the store, whose damage keeps the server from starting: then the folder is put back. */
  damageStore(random: SeededRandom): void {
    const before = this.copy();
    if (this.#damage("store damaged", /^parley\.db/, random)) this.#beforeDamage = before;
  }

  #damage(fault: string, files: RegExp, random: SeededRandom): boolean {
    const detail = damageFile(this.#parts.folder, files, random);
    if (detail === undefined) return false;
    this.#parts.history.add("server", { f: "fault", fault, detail });
    return true;
  }

  /** True: for its damaged store. The folder is as it was before. */
  #isRefused(cause: unknown): boolean {
    const before = this.#beforeDamage;
    if ((cause as Error).name !== "DataFolderError" || before === undefined) return false;
    this.#parts.counters.count("a damaged store is refused at the start");
    this.restore(before);
    return true;
  }

  #config(): Partial<ServerSettings> {
    const { bufferedBytesMax } = this.#parts;
    return {
      origins: [SERVER_URL],
      store: { writer: "main", logFileBytes: LOG_FILE_BYTES },
      ...(bufferedBytesMax !== undefined && { bufferedBytesMax }),
    };
  }

  #logDisk(random: SeededRandom, life: Life): LogDisk {
    const { clock, counters, diskDelayMsMax, history, plants } = this.#parts;
    const disk = new FaultyLogDisk(
      {
        ...{ clock, random, counters, health: this.disk, delayMsMax: diskDelayMsMax },
        durable: (mark) => history.add("server", { f: "durable", mark: Number(mark) }),
      },
      life,
    );
    return plants?.logDisk?.(disk, life) ?? disk;
  }

  /** A write that failed ends the process; anything else that is fatal is a bug. */
  #diskFailed(life: Life, cause: unknown): void {
    if (this.disk.hasFailed) this.#kill(life, "the disk failed");
    else this.#parts.failed(cause);
  }

  /** Level error means a bug (style.md 3), and fails the world; or damage, which must be there then. */
  #log() {
    const silent = () => undefined;
    return {
      debug: silent,
      info: silent,
      warn: silent,
      error: (fields: object, message: string) => {
        if (message === "mail-log-damaged" && this.disk.isDamaged) {
          this.#parts.counters.count("damage in the mail log is found at the start");
          return;
        }
        const { err } = fields as { err?: unknown };
        const why = String((err as Error)?.stack ?? err);
        this.#parts.failed(new Error(`the server logs an error: ${message}: ${why}`));
      },
    };
  }

  #kill(life: Life, why: string): void {
    if (!life.alive || this.#run?.life !== life) return;
    this.#parts.history.add("server", { f: "fault", fault: "server killed", detail: why });
    const { server } = this.#run;
    this.#run = undefined;
    server.kill();
    life.end();
  }
}
