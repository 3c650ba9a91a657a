import { equalBytes, type SealedFile } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { sha256 } from "../primitives/hash.ts";
import { ByteReader, type ByteSource } from "../stream/byte-source.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { chunksOf, inOrder, type NumberedChunk } from "../stream/chunks.ts";
import type { StreamCipher } from "../stream/stream-cipher.ts";
import { CHUNK_BYTES, FIXED_HEADER_BYTES, parseStreamHeader } from "../stream/stream-header.ts";
import { type AttachmentKind, attachmentCipher, streamKindOf } from "./attachment-cipher.ts";
import {
  type ByteRange,
  blobRangeOf,
  chunksOfRange,
  type FileLayout,
  layoutOfFile,
  SEALED_CHUNK_BYTES,
} from "./file-layout.ts";

/** Where the header lies in every blob. */
export const ATTACHMENT_HEADER_RANGE: ByteRange = { start: 0, end: FIXED_HEADER_BYTES };

export interface OpenAttachmentOptions {
  readonly aead: ChunkAead;
  readonly kind: AttachmentKind;
  /** As the message carries it. */
  readonly file: SealedFile;
}

/**
 * Reads a file from ranges of its blob. Whatever it gives is verified: a chunk opens only whole, under this
 * file's key, with this header, at its place. Errors: `truncated` where bytes are missing, `not-authentic`,
 * and those of a message that names no file, `malformed` and `unsupported-version`.
 */
export class AttachmentReader {
  readonly #layout: FileLayout;
  readonly #cipher: StreamCipher;

  private constructor(layout: FileLayout, cipher: StreamCipher) {
    this.#layout = layout;
    this.#cipher = cipher;
  }

  /** `header`: the blob's first bytes, ATTACHMENT_HEADER_RANGE. The message names them by their hash. */
  static async open(options: OpenAttachmentOptions, header: Uint8Array): Promise<AttachmentReader> {
    const { aead, kind, file } = options;
    const layout = layoutOfFile(file);
    if (header.length < FIXED_HEADER_BYTES)
      throw new CryptoError("truncated", "the blob ends within its header");
    if (!equalBytes(sha256(header), file.headerHash))
      throw new CryptoError("not-authentic", "not the header that the message names");
    const parsed = parseStreamHeader(header, streamKindOf(kind));
    return new AttachmentReader(layout, await attachmentCipher(aead, kind, file, parsed));
  }

  get sizeBytes(): number {
    return this.#layout.sizeBytes;
  }

  /** What to fetch of the blob for a range of the file, neither being empty. */
  blobRange(range: ByteRange): ByteRange {
    return blobRangeOf(this.#layout, chunksOfRange(this.#layout, range));
  }

  /** The range, from the bytes of its `blobRange`. */
  async *read(range: ByteRange, source: ByteSource): AsyncGenerator<Uint8Array> {
    const { first, last } = chunksOfRange(this.#layout, range);
    const reader = new ByteReader(source);
    try {
      yield* within(range, first, this.#chunks(reader, first, last));
    } finally {
      await reader.close();
    }
  }

  /** The whole file, from what follows the header. The zeros behind it are fetched too: nobody sees its size. */
  async *readAll(reader: ByteReader): AsyncGenerator<Uint8Array> {
    const { chunkCount, sizeBytes } = this.#layout;
    yield* within({ start: 0, end: sizeBytes }, 0, this.#chunks(reader, 0, chunkCount - 1));
  }

  #chunks(reader: ByteReader, first: number, last: number): AsyncGenerator<Uint8Array> {
    return inOrder(chunksOf(reader, SEALED_CHUNK_BYTES, first), (chunk) => this.#open(chunk, last));
  }

  async #open({ index, bytes, isAtEnd }: NumberedChunk, last: number): Promise<Uint8Array> {
    const { start, end } = blobRangeOf(this.#layout, { first: index, last: index });
    if (bytes.length < end - start || (isAtEnd && index < last))
      throw new CryptoError("truncated", "the blob ends before the file does");
    if (index === last && (!isAtEnd || bytes.length > end - start))
      throw new CryptoError("not-authentic", "bytes behind the end");
    return await this.#cipher.open(index, index === this.#layout.chunkCount - 1, bytes);
  }
}

/** The whole file from the whole blob, in constant memory: to be shown complete only once it ends. */
export async function* openAttachment(
  options: OpenAttachmentOptions,
  source: ByteSource,
): AsyncGenerator<Uint8Array> {
  const blob = new ByteReader(source);
  try {
    const header = await blob.take(FIXED_HEADER_BYTES);
    yield* (await AttachmentReader.open(options, header)).readAll(blob);
  } finally {
    await blob.close();
  }
}

/** Of chunks from number `first` on, what lies within the range. Reads them all: each has to hold. */
async function* within(
  { start, end }: ByteRange,
  first: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = first * CHUNK_BYTES;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += chunk.length;
  }
}
