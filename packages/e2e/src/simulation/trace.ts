import { createHash, type Hash } from "node:crypto";
import type { VirtualClock } from "./virtual-clock.ts";

/**
 * Everything that happened in a world, as one hash: each frame, fault and event with its time. Two runs of
 * one seed that differ anywhere end with different hashes.
 */
export class Trace {
  readonly #clock: VirtualClock;
  readonly #hash: Hash = createHash("sha256");
  /** The newest lines, to show where two runs part. */
  readonly lines: string[] | undefined;

  constructor(clock: VirtualClock, keepLines = false) {
    this.#clock = clock;
    this.lines = keepLines ? [] : undefined;
  }

  note(line: string, bytes?: Uint8Array): void {
    const whole = `${this.#clock.time.toFixed(3)} ${line}\n`;
    this.#hash.update(whole);
    if (bytes !== undefined) this.#hash.update(bytes);
    this.lines?.push(bytes === undefined ? whole : `${whole.trimEnd()} ${digest(bytes)}\n`);
  }

  /** Nothing more can be noted after. */
  digest(): string {
    return this.#hash.digest("hex").slice(0, 32);
  }
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
}
