import { concatBytes } from "@parley/protocol";

/** Bytes in pieces of any size. A piece is the reader's once given: its giver does not write into it again. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface Taken {
  readonly bytes: Uint8Array;
  readonly isAtEnd: boolean;
}

/** Reads a source by sizes of its own. Memory: one piece of the source, and what is asked for. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isAtEnd = false;

  constructor(source: ByteSource) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Exactly so many bytes, or fewer at the end of the source. */
  async take(byteCount: number): Promise<Uint8Array> {
    await this.#fill(byteCount);
    return this.#remove(Math.min(byteCount, this.#heldBytes));
  }

  /** As `take`, and whether nothing comes after it: known by one byte more. */
  async takeLooking(byteCount: number): Promise<Taken> {
    await this.#fill(byteCount + 1);
    const bytes = this.#remove(Math.min(byteCount, this.#heldBytes));
    return { bytes, isAtEnd: this.#heldBytes === 0 };
  }

  /** Lets the source close what it holds open. */
  async close(): Promise<void> {
    if (!this.#isAtEnd) await this.#iterator.return?.();
    this.#isAtEnd = true;
  }

  async #fill(byteCount: number): Promise<void> {
    while (this.#heldBytes < byteCount && !this.#isAtEnd) {
      const { done, value } = await this.#iterator.next();
      if (done === true) this.#isAtEnd = true;
      else if (value.length > 0) {
        this.#held.push(value);
        this.#heldBytes += value.length;
      }
    }
  }

  /** Without a copy where the source's piece holds it all. */
  #remove(byteCount: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let missing = byteCount;
    while (missing > 0) {
      const piece = this.#held[0] as Uint8Array;
      const part = piece.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      if (part.length === piece.length) this.#held.shift();
      else this.#held[0] = piece.subarray(part.length);
    }
    this.#heldBytes -= byteCount;
    return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts);
  }
}
