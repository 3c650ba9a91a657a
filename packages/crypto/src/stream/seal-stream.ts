import { ByteReader, type ByteSource } from "./byte-source.ts";
import { chunksOf, inOrder } from "./chunks.ts";
import type { StreamCipher } from "./stream-cipher.ts";
import { CHUNK_BYTES } from "./stream-header.ts";

/** Header and chunks, each as it is ready. A cipher seals one stream: call it once. */
export async function* sealStream(
  cipher: StreamCipher,
  source: ByteSource,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  try {
    yield cipher.header.bytes;
    yield* inOrder(chunksOf(reader, CHUNK_BYTES), ({ index, isAtEnd, bytes }) =>
      cipher.seal(index, isAtEnd, bytes),
    );
  } finally {
    await reader.close();
  }
}
