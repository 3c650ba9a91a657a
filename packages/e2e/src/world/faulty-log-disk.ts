import { closeSync, constants, openSync, writeFileSync, writeSync } from "node:fs";
import type { LogDisk, LogFile } from "@parley/server";
import type { Life } from "../simulation/life.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import type { Counters } from "./sometimes.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
const BLOCK_MAGIC = Buffer.from("Prlb", "ascii").readUInt32LE();

/** What is wrong with the machine's disk. It outlives every run of the server. */
export class DiskHealth {
  isFull = false;
  /** So many writes are still made; the one after them fails, and its bytes may be there in part. */
  writesToFailure: number | undefined;
  /** A write failed: the server is to end for it. */
  hasFailed = false;
  /** Bytes were changed that had been durable, or garbage was written: the server is to say so. */
  isDamaged = false;
}

export interface LogDiskParts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly counters: Counters;
  readonly health: DiskHealth;
  /** A write takes up to so long; 0: it is durable at once. */
  readonly delayMsMax: () => number;
  /** A block of the log is durable, with the mark of its commit. */
  readonly durable: (mark: bigint) => void;
}

type Fault = "ENOSPC" | "EIO";

/**
 * The disk of the mail log in a simulated world. What is under way when its server dies is torn: any of its
 * sectors may be there, or none.
 */
export class FaultyLogDisk implements LogDisk {
  readonly #parts: LogDiskParts;
  readonly #life: Life;

  constructor(parts: LogDiskParts, life: Life) {
    this.#parts = parts;
    this.#life = life;
  }

  create(path: string, sizeBytes: number): Promise<void> | undefined {
    const { health, counters } = this.#parts;
    if (health.isFull) {
      counters.count("the mail log finds the disk full");
      throw failure("ENOSPC");
    }
    const make = () => writeFileSync(path, new Uint8Array(sizeBytes));
    const delayMs = this.#delayMs();
    if (delayMs === 0) {
      make();
      return undefined;
    }
    return this.#later(delayMs, make);
  }

  open(path: string): LogFile {
    return new FaultyLogFile(path, this.#parts, {
      life: this.#life,
      delayMs: () => this.#delayMs(),
    });
  }

  async #later(delayMs: number, make: () => void): Promise<void> {
    await this.#parts.clock.sleep(delayMs);
    if (!this.#life.alive) await this.#life.never();
    make();
  }

  #delayMs(): number {
    const most = this.#parts.delayMsMax();
    return most === 0 ? 0 : this.#parts.random.fraction() * most;
  }
}

interface Run {
  readonly life: Life;
  delayMs(): number;
}

interface Write {
  readonly bytes: Uint8Array;
  readonly at: number;
}

class FaultyLogFile implements LogFile {
  readonly #parts: LogDiskParts;
  readonly #run: Run;
  readonly #descriptor: number;
  readonly #underWay = new Set<Write>();
  #isClosed = false;

  constructor(path: string, parts: LogDiskParts, run: Run) {
    this.#parts = parts;
    this.#run = run;
    this.#descriptor = openSync(path, constants.O_WRONLY);
  }

  write(bytes: Uint8Array, at: number): Promise<void> | undefined {
    if (!this.#run.life.alive || this.#isClosed) return this.#run.life.never();
    const delayMs = this.#run.delayMs();
    const write = { bytes: bytes.slice(), at };
    const fault = this.#faultOfNext();
    if (delayMs === 0) {
      this.#settle(write, fault);
      return undefined;
    }
    return this.#later(write, { delayMs, fault });
  }

  async clear(from: number, to: number): Promise<void> {
    if (to <= from) return;
    if (!this.#run.life.alive || this.#isClosed) return await this.#run.life.never();
    const write = { bytes: new Uint8Array(to - from), at: from };
    const delayMs = this.#run.delayMs();
    if (delayMs === 0) this.#put(write);
    else await this.#later(write, { delayMs, fault: undefined });
  }

  /** With its server; nothing of it is written any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const write of this.#underWay) {
      if (this.#tear(write)) this.#parts.counters.count("an append is torn by a kill");
    }
    closeSync(this.#descriptor);
  }

  #faultOfNext(): Fault | undefined {
    const { health } = this.#parts;
    if (health.writesToFailure !== undefined && health.writesToFailure-- <= 0) {
      health.writesToFailure = undefined;
      return "EIO";
    }
    return health.isFull ? "ENOSPC" : undefined;
  }

  async #later(
    write: Write,
    { delayMs, fault }: { delayMs: number; fault: Fault | undefined },
  ): Promise<void> {
    this.#underWay.add(write);
    await this.#parts.clock.sleep(delayMs);
    this.#underWay.delete(write);
    if (!this.#run.life.alive || this.#isClosed) return await this.#run.life.never();
    this.#settle(write, fault);
  }

  #settle(write: Write, fault: Fault | undefined): void {
    const { counters, health, durable } = this.#parts;
    if (fault === "ENOSPC") {
      counters.count("the mail log finds the disk full");
      throw failure(fault);
    }
    if (fault === "EIO") {
      counters.count("the mail log's disk fails");
      health.hasFailed = true;
      this.#tear(write);
      throw failure(fault);
    }
    this.#put(write);
    const view = new DataView(write.bytes.buffer, write.bytes.byteOffset, write.bytes.length);
    if (write.bytes.length > 16 && view.getUint32(0, true) === BLOCK_MAGIC)
      durable(view.getBigUint64(8, true));
  }

  /** True where a part of it is there, and a part is not. */
  #tear(write: Write): boolean {
    const { random } = this.#parts;
    const how = random.weighted({ nothing: 1, prefix: 2, some: 2, all: 1 });
    const end = write.at + write.bytes.length;
    const sectors: [from: number, to: number][] = [];
    for (let from = write.at; from < end; ) {
      const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      sectors.push([from, to]);
      from = to;
    }
    const kept = random.integer(0, sectors.length);
    const written = sectors.filter((_, index) => {
      if (how === "prefix") return index < kept;
      return how === "all" || (how === "some" && random.chance(0.5));
    });
    for (const [from, to] of written)
      this.#put({ bytes: write.bytes.subarray(from - write.at, to - write.at), at: from });
    return written.length > 0 && written.length < sectors.length;
  }

  #put({ bytes, at }: Write): void {
    writeSync(this.#descriptor, bytes, 0, bytes.length, at);
  }
}

function failure(code: Fault): Error {
  return Object.assign(new Error(`${code}: by the simulated disk`), { code });
}
