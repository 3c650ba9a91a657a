import type { ByteSource } from "../stream/byte-source.ts";

/** What a generator gives, as a web stream: asked for piece by piece, never ahead of its reader. */
export function toReadable<T>(items: AsyncGenerator<T>): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await items.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await items.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A web stream as a source; not every browser can iterate over one itself. */
export async function* fromReadable<T>(readable: ReadableStream<T>): AsyncGenerator<T> {
  const reader = readable.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => undefined);
  }
}

/**
 * For `pipeThrough`: what a sealing or an opening does to a source, as a pair of streams.
 * `file.stream().pipeThrough(throughStreams(sealing.seal))`
 */
export function throughStreams(
  run: (source: ByteSource) => AsyncGenerator<Uint8Array>,
): ReadableWritablePair<Uint8Array, Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  return { writable, readable: toReadable(run(fromReadable(readable))) };
}
