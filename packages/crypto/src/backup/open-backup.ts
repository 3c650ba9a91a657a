import { fromBinary } from "@bufbuild/protobuf";
import {
  type BackupHeader,
  type BackupRecord,
  BackupRecordSchema,
  copyOf,
  validate,
} from "@parley/protocol";
import { paddedFileBytes, SEALED_CHUNK_BYTES } from "../attachments/file-layout.ts";
import { CryptoError } from "../crypto-error.ts";
import { sha256 } from "../primitives/hash.ts";
import { ByteReader, type ByteSource } from "../stream/byte-source.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { chunksOf, inOrder, type NumberedChunk } from "../stream/chunks.ts";
import { type StreamCipher, TAG_BYTES } from "../stream/stream-cipher.ts";
import {
  CHUNK_BYTES,
  FIXED_HEADER_BYTES,
  headerBytesOf,
  parseStreamHeader,
  type StreamHeader,
  StreamKind,
} from "../stream/stream-header.ts";
import {
  BACKUP_RECORDS_VERSION,
  type BackupOwner,
  backupCipher,
  readBackupHeader,
} from "./backup-header.ts";
import { type BackupPlace, checkBackupPlace } from "./backup-place.ts";
import { unframed } from "./record-frames.ts";

export interface OpenBackupOptions {
  readonly aead: ChunkAead;
  readonly owner: BackupOwner;
  /** The newest backup that this device knows of; undefined on one that is restored from nothing. */
  readonly known: BackupPlace | undefined;
}

export interface OpenedBackup {
  /** Genuine: the first chunk has vouched for it. Its head of the own chain is the caller's to compare. */
  readonly header: BackupHeader;
  readonly place: BackupPlace;
  /**
   * Each genuine and in its order; whether they are all is known only when this ends. So restore into a store
   * that is thrown away where it throws. Reads the source as it goes; leaving it early closes the source.
   */
  readonly records: AsyncGenerator<BackupRecord>;
}

/**
 * Throws, before anything is given: `wrong-key` for another recovery code or account, `unsupported-version`,
 * `truncated`, `not-authentic`, `malformed`, and `rolled-back` or `forked` against the known place.
 */
export async function openBackup(
  { aead, owner, known }: OpenBackupOptions,
  source: ByteSource,
): Promise<OpenedBackup> {
  const sealed = new ByteReader(source);
  try {
    const streamHeader = await takeHeader(sealed);
    const header = readBackupHeader(streamHeader, owner);
    const cipher = await backupCipher(aead, owner, streamHeader);
    const chunks = inOrder(chunksOf(sealed, SEALED_CHUNK_BYTES), (chunk) =>
      openChunk(cipher, chunk),
    );
    const first = await chunks.next();
    const place = { sequence: header.sequence, hash: sha256(streamHeader.bytes) };
    checkBackupPlace(known, { ...place, previousHash: header.previousHash });
    if (header.recordsVersion > BACKUP_RECORDS_VERSION)
      throw new CryptoError("unsupported-version", "a backup of a newer version");
    const plaintext = new ByteReader(resumed(first, chunks));
    return { header, place, records: recordsOf(plaintext, sealed) };
  } catch (cause) {
    await sealed.close();
    throw cause;
  }
}

async function takeHeader(sealed: ByteReader): Promise<StreamHeader> {
  const fixed = await sealed.take(FIXED_HEADER_BYTES);
  const size = headerBytesOf(fixed, StreamKind.backup) ?? FIXED_HEADER_BYTES;
  const extra = await sealed.take(size - FIXED_HEADER_BYTES);
  const bytes = new Uint8Array(fixed.length + extra.length);
  bytes.set(fixed);
  bytes.set(extra, fixed.length);
  return parseStreamHeader(bytes, StreamKind.backup);
}

async function openChunk(
  cipher: StreamCipher,
  { index, bytes, isAtEnd }: NumberedChunk,
): Promise<Uint8Array> {
  try {
    return await cipher.open(index, isAtEnd, bytes);
  } catch (cause) {
    if (isAtEnd && (await isCutOff(cipher, index, bytes)))
      throw new CryptoError("truncated", "the backup ends before its end");
    throw cause;
  }
}

/**
 * What a person is told of a download that broke off. Either the chunk is a genuine one of the middle, or the
 * whole has a size that no backup is padded to. It opens nothing.
 */
async function isCutOff(cipher: StreamCipher, index: number, bytes: Uint8Array): Promise<boolean> {
  const plainBytes = index * CHUNK_BYTES + bytes.length - TAG_BYTES;
  if (bytes.length < TAG_BYTES || paddedFileBytes(plainBytes) !== plainBytes) return true;
  return await cipher.open(index, false, bytes).then(
    () => true,
    () => false,
  );
}

async function* resumed(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

async function* recordsOf(plaintext: ByteReader, sealed: ByteReader): AsyncGenerator<BackupRecord> {
  try {
    for await (const bytes of unframed(plaintext)) yield decoded(bytes);
  } finally {
    await sealed.close();
  }
}

function decoded(bytes: Uint8Array): BackupRecord {
  let record: BackupRecord;
  try {
    record = fromBinary(BackupRecordSchema, copyOf(bytes)); // Its fields are views of it.
    if (record.record.case !== undefined) validate(BackupRecordSchema, record, "server");
  } catch {
    throw new CryptoError("malformed", "not a record of a backup");
  }
  if (record.record.case === undefined)
    throw new CryptoError("unsupported-version", "a record of a newer version");
  return record;
}
