import type { Log } from "../../ports/log.ts";

/** Tells when the disk is full, and when it takes writes again. */
export class DiskRoom {
  readonly #log: Log;
  #isFull = false;

  constructor(log: Log) {
    this.#log = log;
  }

  full(): void {
    this.#isFull = true;
    this.#log.warn({}, "disk-full");
  }

  written(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#log.info({}, "disk-has-room");
  }
}
