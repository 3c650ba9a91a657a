/** A hundred messages, and little enough that a page of memory more does not matter. */
const SLAB_BYTES = 64 * 1024;

/**
 * Memory of their own for rows that lie in the log. What came from the network is a view of the chunk in which
 * it came: one message that waits would keep everything alive that came with it. Here a slab holds what was
 * accepted one after the other and nothing else, so all slabs together are no larger than the log's files.
 */
export class RowMemory {
  #slab = new Uint8Array(0);
  #filled = 0;

  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SLAB_BYTES) return Uint8Array.from(bytes);
    if (this.#filled + bytes.length > this.#slab.length) {
      this.#slab = new Uint8Array(Buffer.allocUnsafeSlow(SLAB_BYTES).buffer);
      this.#filled = 0;
    }
    const copy = new Uint8Array(this.#slab.buffer, this.#filled, bytes.length);
    copy.set(bytes);
    this.#filled += bytes.length;
    return copy;
  }
}
