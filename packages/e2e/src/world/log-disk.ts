import { closeSync, constants, openSync, writeFileSync, writeSync } from "node:fs";
import type { LogDisk, LogFile } from "@parley/server";

/** The mail log's disk in a simulation: everything is written in the turn in which it is asked for. */
export const promptLogDisk: LogDisk = {
  create: (path, sizeBytes) => {
    writeFileSync(path, new Uint8Array(sizeBytes));
    return undefined;
  },
  open: (path) => new PromptLogFile(path),
};

class PromptLogFile implements LogFile {
  readonly #descriptor: number;
  #isClosed = false;

  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_WRONLY);
  }

  write(bytes: Uint8Array, at: number): undefined {
    writeSync(this.#descriptor, bytes, 0, bytes.length, at);
  }

  async clear(from: number, to: number): Promise<void> {
    if (to > from) this.write(new Uint8Array(to - from), from);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }
}
