import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  write,
  writeFileSync,
  writeSync,
} from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { LogDisk, LogFile } from "./log-disk.ts";

/**
 * Who waits for the disk. `main`: the event loop, which costs half the CPU time of a hand-over, and holds up
 * every socket for as long as the disk takes. `thread`: a thread of the pool. `auto`: the loop while the disk
 * answers fast. A server that is opened again in the same process after a kill has to say `main`: a thread
 * would still write for the dead one.
 */
export type LogWriter = "auto" | "main" | "thread";

/** Twice what a message may wait in an idle server's turn; a disk in a data centre stays far below. */
const SLOW_MS = 2;
/** So many fast writes in a row bring the loop's own writing back. */
const FAST_WRITES = 64;
const ZEROS = new Uint8Array(1024 * 1024);
/** Elsewhere a flush after the write says the same at the price of a second call. */
const WRITES_THROUGH = process.platform === "linux";

export function systemLogDisk(writer: LogWriter): LogDisk {
  return {
    create: writer === "main" ? createAtOnce : create,
    open: (path) => new SystemLogFile(path, writer),
  };
}

/** With nothing left for a thread to do: whoever is closed now touches no file any more. */
function createAtOnce(path: string, sizeBytes: number): undefined {
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, new Uint8Array(sizeBytes), { mode: 0o600, flush: true });
  renameSync(unfinished, path);
  syncFolder(dirname(path));
}

/** Under another name first, so that a file which was not finished is never taken for one. */
async function create(path: string, sizeBytes: number): Promise<void> {
  const unfinished = `${path}.new`;
  const file = await open(unfinished, "w", 0o600);
  try {
    for (let at = 0; at < sizeBytes; at += ZEROS.length)
      await file.writev([ZEROS.subarray(0, Math.min(ZEROS.length, sizeBytes - at))], at);
    await file.sync();
  } catch (cause) {
    await rm(unfinished); // On a full disk it takes what little room there is.
    throw cause;
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  syncFolder(dirname(path));
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

class SystemLogFile implements LogFile {
  readonly #descriptor: number;
  readonly #writer: LogWriter;
  #inThread: boolean;
  #fastWrites = 0;
  #threadWrites = 0;
  #isClosed = false;

  constructor(path: string, writer: LogWriter) {
    this.#writer = writer;
    this.#inThread = writer === "thread";
    this.#descriptor = openSync(
      path,
      constants.O_WRONLY | (WRITES_THROUGH ? constants.O_DSYNC : 0),
    );
    chmodSync(path, 0o600);
  }

  write(bytes: Uint8Array, at: number): Promise<void> | undefined {
    const began = performance.now();
    if (this.#inThread) return this.#writeInThread(bytes, at, began);
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
    if (!WRITES_THROUGH) fsyncSync(this.#descriptor);
    if (this.#writer === "auto" && performance.now() - began > SLOW_MS) this.#inThread = true;
    return undefined;
  }

  /** The number of a file that a thread still writes to must not come to name another. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#threadWrites === 0) closeSync(this.#descriptor);
  }

  async clear(from: number, to: number): Promise<void> {
    for (let at = from; at < to && !this.#isClosed; at += ZEROS.length) {
      const zeros = ZEROS.subarray(0, Math.min(ZEROS.length, to - at));
      if (this.#writer === "main") await this.write(zeros, at);
      else await this.#inPool(zeros, at);
    }
  }

  async #writeInThread(bytes: Uint8Array, at: number, beganMs: number): Promise<void> {
    await this.#inPool(bytes, at);
    if (this.#writer !== "auto") return;
    this.#fastWrites = performance.now() - beganMs < SLOW_MS ? this.#fastWrites + 1 : 0;
    if (this.#fastWrites < FAST_WRITES) return;
    this.#fastWrites = 0;
    this.#inThread = false;
  }

  async #inPool(bytes: Uint8Array, at: number): Promise<void> {
    this.#threadWrites++;
    try {
      for (let done = 0; done < bytes.length; )
        done += await writeOnce(this.#descriptor, bytes.subarray(done), at + done);
      if (!WRITES_THROUGH) fsyncSync(this.#descriptor);
    } finally {
      this.#threadWrites--;
      if (this.#isClosed && this.#threadWrites === 0) closeSync(this.#descriptor);
    }
  }
}

function writeOnce(descriptor: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, at, (cause, written) => {
      if (cause) reject(cause);
      else resolve(written);
    });
  });
}
