import { unmask } from "./websocket-format.ts";

/** Doubled as bytes come: who announces a megabyte and sends nothing gets no megabyte. */
const FIRST_BYTES = 1024;

export interface FrameStart {
  readonly isFinal: boolean;
  readonly length: number;
  readonly key: number;
}

/** A message whose bytes have not all come, or that comes in several frames. */
export class PartialMessage {
  #bytes: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #frameLeft = 0;
  #frameFilled = 0;
  #key = 0;
  #isInFrame = false;
  #isFinal = false;
  #fragments = 0;

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
    return Math.max(1, this.#bytes.length);
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
    const length = Math.min(this.#frameLeft, chunk.length - from);
    this.#makeRoom(length);
    unmask({
      source: chunk,
      from,
      length,
      target: this.#bytes,
      to: this.#filled,
      key: this.#key,
      phase: this.#frameFilled,
    });
    this.#filled += length;
    this.#frameFilled += length;
    this.#frameLeft -= length;
    this.#isInFrame = this.#frameLeft > 0;
    return from + length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }

  #makeRoom(length: number): void {
    const needed = this.#filled + length;
    if (needed <= this.#bytes.length) return;
    const doubled = Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES);
    // Where the end is known, not beyond it.
    const capacity = this.#isFinal ? Math.min(doubled, this.length) : doubled;
    const grown = new Uint8Array(Math.max(needed, capacity));
    grown.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = grown;
  }
}
