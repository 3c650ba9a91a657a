import type { SealedFile } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { padme } from "../primitives/padme.ts";
import { CHUNKS_MAX, STREAM_KEY_BYTES, TAG_BYTES } from "../stream/stream-cipher.ts";
import { CHUNK_BYTES, FIXED_HEADER_BYTES } from "../stream/stream-header.ts";

/** Below this all files are alike (trust.md 9). */
export const PADDED_BYTES_MIN = 4096;
/** What a stream can count: 256 TiB. What may be uploaded is the server's to say. */
export const FILE_BYTES_MAX = CHUNKS_MAX * CHUNK_BYTES;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const HASH_BYTES = 32;

/** Bytes from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where what of a file lies in its blob: header, then chunks, each with its tag. */
export interface FileLayout {
  readonly sizeBytes: number;
  readonly paddedBytes: number;
  readonly chunkCount: number;
  readonly blobBytes: number;
}

/** Padmé, at least 4 KiB (trust.md 9). */
export function paddedFileBytes(sizeBytes: number): number {
  return Math.max(PADDED_BYTES_MIN, padme(sizeBytes));
}

export function layoutOf(sizeBytes: number, paddedBytes: number): FileLayout {
  const chunkCount = Math.ceil(paddedBytes / CHUNK_BYTES);
  const blobBytes = FIXED_HEADER_BYTES + paddedBytes + chunkCount * TAG_BYTES;
  return { sizeBytes, paddedBytes, chunkCount, blobBytes };
}

/** The sender may be anybody: throws `malformed` where no file can be so, `unsupported-version` for other chunks. */
export function layoutOfFile(file: SealedFile): FileLayout {
  const sizeBytes = Number(file.sizeBytes);
  const paddedBytes = Number(file.paddedBytes);
  if (file.key.length !== STREAM_KEY_BYTES || file.headerHash.length !== HASH_BYTES)
    throw new CryptoError("malformed", "key or hash of the wrong size");
  if (file.chunkBytes !== CHUNK_BYTES)
    throw new CryptoError("unsupported-version", "chunks of another size");
  if (paddedBytes < PADDED_BYTES_MIN || paddedBytes > FILE_BYTES_MAX || sizeBytes > paddedBytes)
    throw new CryptoError("malformed", "no file has these sizes");
  return layoutOf(sizeBytes, paddedBytes);
}

/** The numbers of the chunks that hold a range, the last one included. */
export function chunksOfRange({ sizeBytes }: FileLayout, { start, end }: ByteRange) {
  if (!Number.isSafeInteger(start) || !(start >= 0 && start < end && end <= sizeBytes))
    throw new CryptoError("misuse", "not a range of this file");
  return { first: Math.floor(start / CHUNK_BYTES), last: Math.floor((end - 1) / CHUNK_BYTES) };
}

/** The bytes of the blob that these chunks take. */
export function blobRangeOf(
  { blobBytes }: FileLayout,
  { first, last }: { readonly first: number; readonly last: number },
): ByteRange {
  const at = (index: number) => FIXED_HEADER_BYTES + index * SEALED_CHUNK_BYTES;
  return { start: at(first), end: Math.min(at(last + 1), blobBytes) };
}
