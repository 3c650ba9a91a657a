import { concatBytes, type SealedFile } from "@parley/protocol";
import { LABELS } from "../labels.ts";
import { uint64Bytes } from "../primitives/text.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { StreamCipher } from "../stream/stream-cipher.ts";
import { type StreamHeader, StreamKind } from "../stream/stream-header.ts";

export type AttachmentKind = "file" | "thumbnail";

/**
 * The sizes are part of what the key is drawn from: under a false one not even the first chunk opens, and a
 * reader of a range need not see the end to know where it is.
 */
export function attachmentCipher(
  aead: ChunkAead,
  kind: AttachmentKind,
  file: Pick<SealedFile, "key" | "sizeBytes" | "paddedBytes">,
  header: StreamHeader,
): Promise<StreamCipher> {
  const binding = concatBytes(uint64Bytes(file.sizeBytes), uint64Bytes(file.paddedBytes));
  const label = kind === "file" ? LABELS.attachment : LABELS.thumbnail;
  return StreamCipher.make(aead, { key: file.key, label, binding }, header);
}

export function streamKindOf(kind: AttachmentKind): StreamKind {
  return kind === "file" ? StreamKind.file : StreamKind.thumbnail;
}
