import type { ByteReader, Taken } from "./byte-source.ts";

export interface NumberedChunk extends Taken {
  readonly index: number;
}

/**
 * So many chunks are ciphered at once: an asynchronous cipher works on some while others are fetched or stored.
 * With the source's piece and what is being handed on, all the memory that a stream takes.
 */
const UNDER_WAY_MAX = 4;

/** Cuts what the reader gives. A source without a byte gives one empty chunk. */
export async function* chunksOf(
  reader: ByteReader,
  chunkBytes: number,
  firstIndex = 0,
): AsyncGenerator<NumberedChunk> {
  let index = firstIndex;
  for (;;) {
    const { bytes, isAtEnd } = await reader.takeLooking(chunkBytes);
    yield { index, bytes, isAtEnd };
    if (isAtEnd) return;
    index += 1;
  }
}

/** Results in the order of the chunks; after the first that fails, none. */
export async function* inOrder<T>(
  chunks: AsyncIterable<NumberedChunk>,
  work: (chunk: NumberedChunk) => Promise<T>,
): AsyncGenerator<T> {
  const underWay: Promise<T>[] = [];
  for await (const chunk of chunks) {
    const result = work(chunk);
    result.catch(() => undefined); // Met when its turn comes, or an earlier one failed.
    underWay.push(result);
    if (underWay.length >= UNDER_WAY_MAX) yield await (underWay.shift() as Promise<T>);
  }
  for (const result of underWay) yield await result;
}
