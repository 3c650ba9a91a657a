import { concatBytes, copyOf } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { uint16Bytes } from "../primitives/text.ts";

/**
 * The head of a sealed stream, in fixed places so that a range of the stream can be computed without it:
 *
 *     0   1   format version, 0x01
 *     1   1   what it is: StreamKind
 *     2   1   chunk size, as a power of two: 16
 *     3  32   salt, random
 *    35   2   n, big-endian: the size of what follows
 *    37   n   of a backup the encoded BackupHeader; of a file nothing
 *
 * It is AAD of every chunk, byte for byte as it stands.
 */
export const STREAM_VERSION = 1;
export const STREAM_SALT_BYTES = 32;
export const FIXED_HEADER_BYTES = 37;
/**
 * Fits Range requests, and what a player asks for at a time; bare AES-GCM is no faster with larger ones
 * (e2ee.md, attachments).
 */
export const CHUNK_BYTES = 65_536;
const CHUNK_BITS = 16;
const SALT_AT = 3;
const EXTRA_SIZE_AT = 35;
/** A backup's is about 120 bytes: what claims more is refused before it is awaited. */
export const EXTRA_BYTES_MAX = 1024;

export const StreamKind = { file: 1, thumbnail: 2, backup: 3 } as const;
export type StreamKind = (typeof StreamKind)[keyof typeof StreamKind];

export interface StreamHeader {
  readonly salt: Uint8Array;
  readonly extra: Uint8Array;
  /** As it stands in the stream. */
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function makeStreamHeader(
  kind: StreamKind,
  salt: Uint8Array,
  extra: Uint8Array = NOTHING,
): StreamHeader {
  if (salt.length !== STREAM_SALT_BYTES || extra.length > EXTRA_BYTES_MAX)
    throw new CryptoError("misuse", "salt or extra header of the wrong size");
  const start = Uint8Array.of(STREAM_VERSION, kind, CHUNK_BITS);
  return { salt, extra, bytes: concatBytes(start, salt, uint16Bytes(extra.length), extra) };
}

/**
 * How long the header is that begins so; undefined: too little is there to tell. Throws
 * `unsupported-version` where a newer version made it, `malformed` where it is none of this kind.
 */
export function headerBytesOf(start: Uint8Array, kind: StreamKind): number | undefined {
  const [version, itsKind, chunkBits] = start;
  if (version !== undefined && version !== STREAM_VERSION) {
    if (version > STREAM_VERSION)
      throw new CryptoError("unsupported-version", "a stream of a newer version");
    throw new CryptoError("malformed", "not a sealed stream");
  }
  if (start.length < FIXED_HEADER_BYTES) return undefined;
  if (itsKind !== kind || chunkBits !== CHUNK_BITS)
    throw new CryptoError("malformed", "a sealed stream of another kind");
  const extraBytes = ((start[EXTRA_SIZE_AT] as number) << 8) | (start[EXTRA_SIZE_AT + 1] as number);
  if (extraBytes > EXTRA_BYTES_MAX) throw new CryptoError("malformed", "header too long");
  return FIXED_HEADER_BYTES + extraBytes;
}

/** Exactly the header. Throws as `headerBytesOf`, and `truncated` where something of it is missing. */
export function parseStreamHeader(bytes: Uint8Array, kind: StreamKind): StreamHeader {
  const size = headerBytesOf(bytes, kind);
  if (size === undefined || bytes.length < size)
    throw new CryptoError("truncated", "the stream ends within its header");
  if (bytes.length > size) throw new CryptoError("malformed", "more than a header");
  return {
    salt: copyOf(bytes, SALT_AT, EXTRA_SIZE_AT),
    extra: copyOf(bytes, FIXED_HEADER_BYTES),
    bytes: copyOf(bytes),
  };
}
