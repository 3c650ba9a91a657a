import { type ByteSource, beginAttachment, openAttachment, sha256 } from "../../src/index.ts";
import { startChunkAead, webChunkAead } from "../../src/platform/web-chunk-aead.ts";
import { fromReadable, throughStreams } from "../../src/platform/web-streams.ts";
import { seededRandom } from "../fixtures/random.ts";

/** Of the globals of a page and a worker, what is used here. */
declare const Blob: new (parts: readonly Uint8Array[]) => { stream(): never };

/** What the tests of attachments have done in Chromium. */
export const jobs = {
  async isWebCryptoTaken(): Promise<boolean> {
    return (await startChunkAead()) === webChunkAead;
  },

  /** Seals under what the seed draws, opens again, and names the blob by its hash. */
  async sealAndOpen({ seed, sizeBytes }: { seed: string; sizeBytes: number }): Promise<Outcome> {
    const [aead, random] = [webChunkAead, seededRandom(seed)];
    const plain = Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 7 + (at >>> 8)) & 0xff);
    const { file, seal } = await beginAttachment({ aead, random, kind: "file", sizeBytes });
    const sealed = new Blob([plain]).stream() as ReadableOf;
    const blob = await collect(fromReadable(sealed.pipeThrough(throughStreams(seal))));
    const open = (source: ByteSource) => openAttachment({ aead, kind: "file", file }, source);
    const stream = new Blob([blob]).stream() as ReadableOf;
    const opened = await collect(fromReadable(stream.pipeThrough(throughStreams(open))));
    const isSame = opened.length === plain.length && opened.every((byte, at) => byte === plain[at]);
    const changed = blob.with(50, (blob[50] as number) ^ 1);
    const failure = await collect(open([changed])).then(
      () => "none",
      (cause: { readonly code: string }) => cause.code,
    );
    return { blobHash: [...sha256(blob)], isSame, failure };
  },
};

type ReadableOf = Parameters<typeof fromReadable<Uint8Array>>[0];

export interface Outcome {
  readonly blobHash: readonly number[];
  readonly isSame: boolean;
  readonly failure: string;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of source) {
    pieces.push(piece);
    size += piece.length;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
