import { create } from "@bufbuild/protobuf";
import { type SealedFile, SealedFileSchema } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { sha256 } from "../primitives/hash.ts";
import type { RandomBytes } from "../ratchet/session-api.ts";
import type { ByteSource } from "../stream/byte-source.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { sealStream } from "../stream/seal-stream.ts";
import { STREAM_KEY_BYTES } from "../stream/stream-cipher.ts";
import { CHUNK_BYTES, makeStreamHeader, STREAM_SALT_BYTES } from "../stream/stream-header.ts";
import { type AttachmentKind, attachmentCipher, streamKindOf } from "./attachment-cipher.ts";
import { FILE_BYTES_MAX, layoutOf, paddedFileBytes } from "./file-layout.ts";

export interface AttachmentSealing {
  /** What the message carries; known before the first byte is read. */
  readonly file: SealedFile;
  /** What the upload's grant is asked for. */
  readonly blobBytes: number;
  /**
   * The blob, piece by piece, in constant memory. Throws `misuse` where the source has another size than was
   * said, and when called again: a key seals one content, and who repeats an upload begins anew.
   */
  seal(source: ByteSource): AsyncGenerator<Uint8Array>;
}

export interface SealAttachmentOptions {
  readonly aead: ChunkAead;
  readonly random: RandomBytes;
  readonly kind: AttachmentKind;
  readonly sizeBytes: number;
}

/** AES-256-GCM in STREAM form under a key of this file's own (e2ee.md, attachments). */
export async function beginAttachment(options: SealAttachmentOptions): Promise<AttachmentSealing> {
  const { aead, random, kind, sizeBytes } = options;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > FILE_BYTES_MAX)
    throw new CryptoError("misuse", "not the size of a file");
  const { paddedBytes, blobBytes } = layoutOf(sizeBytes, paddedFileBytes(sizeBytes));
  const header = makeStreamHeader(streamKindOf(kind), random(STREAM_SALT_BYTES));
  const file = create(SealedFileSchema, {
    key: random(STREAM_KEY_BYTES),
    sizeBytes: BigInt(sizeBytes),
    paddedBytes: BigInt(paddedBytes),
    chunkBytes: CHUNK_BYTES,
    headerHash: sha256(header.bytes),
  });
  const cipher = await attachmentCipher(aead, kind, file, header);
  let isUsed = false;
  const seal = (source: ByteSource) => {
    if (isUsed) throw new CryptoError("misuse", "a key seals one content");
    isUsed = true;
    return sealStream(cipher, padded(source, sizeBytes, paddedBytes));
  };
  return { file, blobBytes, seal };
}

async function* padded(
  source: ByteSource,
  sizeBytes: number,
  paddedBytes: number,
): AsyncGenerator<Uint8Array> {
  let givenBytes = 0;
  for await (const piece of source) {
    givenBytes += piece.length;
    if (givenBytes > sizeBytes) break;
    yield piece;
  }
  if (givenBytes !== sizeBytes)
    throw new CryptoError("misuse", "the file has another size than was said");
  for (let missing = paddedBytes - sizeBytes; missing > 0; missing -= CHUNK_BYTES)
    yield new Uint8Array(Math.min(missing, CHUNK_BYTES));
}
