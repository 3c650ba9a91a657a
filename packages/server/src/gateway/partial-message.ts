import { BLOCK_BYTES, type BlockPool } from "./block-pool.ts";
import { unmask } from "./websocket-format.ts";

/** The beginning of a message is kept apart: most that are cut are short. */
const FIRST_BYTES_MAX = 1024;

export interface FrameStart {
  readonly isFinal: boolean;
  readonly length: number;
  readonly key: number;
}

/**
 * A message whose bytes have not all come, or that comes in several frames. It takes memory as bytes come: who
 * announces a megabyte and sends nothing gets no megabyte.
 */
export class PartialMessage {
  readonly #pool: BlockPool;
  readonly #first: Uint8Array;
  readonly #blocks: Uint8Array[] = [];
  #filled = 0;
  #frameLeft = 0;
  #frameFilled = 0;
  #key = 0;
  #isInFrame = false;
  #isFinal = false;
  #fragments = 0;

  constructor(pool: BlockPool, firstFrameBytes: number) {
    this.#pool = pool;
    this.#first = Buffer.allocUnsafeSlow(Math.min(firstFrameBytes, FIRST_BYTES_MAX));
  }

  get isInFrame(): boolean {
    return this.#isInFrame;
  }

  /** The frame that is, or was, the last of this message. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  get fragments(): number {
    return this.#fragments;
  }

  /** What it comes to with the frame that has begun. */
  get length(): number {
    return this.#filled + this.#frameLeft;
  }

  /** At least 1, as long as it is there. */
  get heldBytes(): number {
    return 1 + this.#first.length + this.#blocks.length * BLOCK_BYTES;
  }

  begin({ isFinal, length, key }: FrameStart): void {
    this.#fragments++;
    this.#isFinal = isFinal;
    this.#key = key;
    this.#frameLeft = length;
    this.#frameFilled = 0;
    this.#isInFrame = true;
  }

  /** Takes what is the frame's from `chunk`; returns where that ends. */
  fill(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#frameLeft > 0 && at < chunk.length) {
      const { block, filled } = this.#place();
      const left = Math.min(this.#frameLeft, chunk.length - at);
      const length = Math.min(left, block.length - filled);
      const key = { key: this.#key, phase: this.#frameFilled };
      unmask({ source: chunk, from: at, length, target: block, to: filled, ...key });
      at += length;
      this.#filled += length;
      this.#frameFilled += length;
      this.#frameLeft -= length;
    }
    this.#isInFrame = this.#frameLeft > 0;
    return at;
  }

  /** The whole message; the rest is given back. */
  finish(): Uint8Array {
    const whole = Buffer.allocUnsafeSlow(this.#filled);
    let at = 0;
    for (const block of [this.#first, ...this.#blocks]) {
      whole.set(block.subarray(0, this.#filled - at), at);
      at += block.length;
    }
    this.forget();
    return whole;
  }

  forget(): void {
    for (const block of this.#blocks.splice(0)) this.#pool.give(block);
  }

  /** Where the next byte goes. */
  #place(): { readonly block: Uint8Array; readonly filled: number } {
    if (this.#filled < this.#first.length) return { block: this.#first, filled: this.#filled };
    const filled = (this.#filled - this.#first.length) % BLOCK_BYTES;
    if (filled === 0) this.#blocks.push(this.#pool.take());
    return { block: this.#blocks.at(-1) as Uint8Array, filled };
  }
}
