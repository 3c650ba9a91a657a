export const BLOCK_BYTES = 16 * 1024;
/** One slab of a megabyte is a mapping of its own, and goes back to the system as a whole. */
const SLAB_BLOCKS = 64;

/**
 * Memory for what waits: bytes that a client has not taken, or not sent whole. What one flood after the other
 * leaves behind in buffers of the runtime would be collected when 64 MB of it have come together.
 */
export class BlockPool {
  #free: Uint8Array[] = [];
  #taken = 0;

  /** Not cleared. */
  take(): Uint8Array {
    if (this.#free.length === 0) this.#addSlab();
    this.#taken++;
    return this.#free.pop() as Uint8Array;
  }

  /** Nobody may look at it any more. */
  give(block: Uint8Array): void {
    this.#taken--;
    this.#free.push(block);
    if (this.#taken === 0) this.#free = [];
  }

  #addSlab(): void {
    const slab = Buffer.allocUnsafeSlow(SLAB_BLOCKS * BLOCK_BYTES);
    for (let at = 0; at < slab.length; at += BLOCK_BYTES)
      this.#free.push(slab.subarray(at, at + BLOCK_BYTES));
  }
}
