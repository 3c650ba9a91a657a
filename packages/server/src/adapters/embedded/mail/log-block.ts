import { crc32 } from "node:zlib";

/**
 * The log's file: a head of 64 bytes, then blocks, one for each commit, then zeros. All numbers are
 * little-endian. A file that was written before is all zeros again before it is used anew, so what follows
 * the last block says whether that block was torn or something was damaged.
 *
 * head:  "PrlyMail" · format 4 · sequence 4 · size of the file 4 · CRC-32 of these 20
 * block: "Prlb" 4 · length of the payload 4 · mark 8 · sequence 4 · CRC-32 of these 20 and the payload · payload ·
 *        "brlPbrlP"
 *
 * A block's length is a multiple of 8, so that neither magic and length nor its end lie in two sectors, and
 * none of its sectors is all zero.
 */
export const HEAD_BYTES = 64;
export const BLOCK_HEAD_BYTES = 24;
export const BLOCK_END_BYTES = 8;
export const BLOCK_ALIGNMENT = 8;

const FORMAT = 1;
const FILE_MAGIC = Buffer.from("PrlyMail", "ascii");
const BLOCK_MAGIC = Buffer.from("Prlb", "ascii").readUInt32LE();
const BLOCK_END = Buffer.from("brlPbrlP", "ascii");
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

export interface Block {
  readonly at: number;
  readonly mark: bigint;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Bytes that were never written like this. */
export interface Damage {
  readonly at: number;
  /** What was accepted after this mark may be lost; undefined: nothing is. */
  readonly lostAfter: bigint | undefined;
}

export interface ScannedFile {
  /** Undefined: the file was never used, or its head is damaged and it holds no block that says. */
  readonly sequence: number | undefined;
  readonly blocks: readonly Block[];
  /** Where the next block goes. */
  readonly end: number;
  /** The last write was cut off by a crash: it was never acknowledged. */
  readonly isTorn: boolean;
  readonly damage: readonly Damage[];
}

export function fileHead(sequence: number, sizeBytes: number): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  FILE_MAGIC.copy(head);
  head.writeUInt32LE(FORMAT, 8);
  head.writeUInt32LE(sequence, 12);
  head.writeUInt32LE(sizeBytes, 16);
  head.writeUInt32LE(crc32(head.subarray(0, 20)), 20);
  return head;
}

/** Writes head and end of a block whose payload stands between their rooms already. */
export function sealBlock(block: Buffer, mark: bigint, sequence: number): void {
  block.writeUInt32LE(BLOCK_MAGIC, 0);
  block.writeUInt32LE(block.length - BLOCK_HEAD_BYTES - BLOCK_END_BYTES, 4);
  block.writeBigUInt64LE(mark, 8);
  block.writeUInt32LE(sequence, 16);
  block.writeUInt32LE(checksumOf(block), 20);
  BLOCK_END.copy(block, block.length - BLOCK_END_BYTES);
}

function checksumOf(block: Buffer): number {
  const payload = block.subarray(BLOCK_HEAD_BYTES, block.length - BLOCK_END_BYTES);
  return crc32(payload, crc32(block.subarray(0, 20)));
}

const blockBytes = (payloadBytes: number): number =>
  BLOCK_HEAD_BYTES + payloadBytes + BLOCK_END_BYTES;

/** What is in a file, and what is wrong with it. */
export function scanFile(file: Buffer): ScannedFile {
  const head = headOf(file);
  const { blocks, end, isTorn, damage } = scanBlocks(file, head?.sequence);
  const sequence = head?.sequence ?? blocks[0]?.sequence;
  if (head === undefined && !isZero(file, 0, file.length))
    damage.unshift({ at: 0, lostAfter: undefined });
  if (head !== undefined && file.length < head.sizeBytes) {
    // Blocks follow each other: where zeros are left behind the last one, it was the last.
    const isWhole = end < file.length;
    damage.push({ at: file.length, lostAfter: isWhole ? undefined : lastMark(blocks) });
  }
  return { sequence, blocks, end, isTorn, damage };
}

function scanBlocks(file: Buffer, sequence: number | undefined) {
  const damage: Damage[] = [];
  const blocks: Block[] = [];
  for (let at = HEAD_BYTES; ; ) {
    const block = blockAt(file, at, sequence ?? blocks[0]?.sequence);
    if (block !== undefined) {
      blocks.push(block);
      at = block.at + blockBytes(block.payload.length);
      continue;
    }
    if (isZero(file, at, file.length)) return { blocks, end: at, isTorn: false, damage };
    const next = nextBlock(file, at + 1, sequence ?? blocks[0]?.sequence);
    if (next === undefined && isTornAt(file, at)) return { blocks, end: at, isTorn: true, damage };
    damage.push({ at, lostAfter: lastMark(blocks) });
    if (next === undefined) return { blocks, end: at, isTorn: false, damage };
    at = next;
  }
}

const lastMark = (blocks: readonly Block[]): bigint => blocks.at(-1)?.mark ?? 0n;

function headOf(file: Buffer): { sequence: number; sizeBytes: number } | undefined {
  if (file.length < HEAD_BYTES || !file.subarray(0, 8).equals(FILE_MAGIC)) return undefined;
  if (file.readUInt32LE(20) !== crc32(file.subarray(0, 20))) return undefined;
  if (!isZero(file, 24, HEAD_BYTES)) return undefined;
  return { sequence: file.readUInt32LE(12), sizeBytes: file.readUInt32LE(16) };
}

function blockAt(file: Buffer, at: number, sequence: number | undefined): Block | undefined {
  if (at + BLOCK_HEAD_BYTES > file.length || file.readUInt32LE(at) !== BLOCK_MAGIC)
    return undefined;
  const end = at + blockBytes(file.readUInt32LE(at + 4));
  if (end > file.length) return undefined;
  if (sequence !== undefined && file.readUInt32LE(at + 16) !== sequence) return undefined;
  const block = file.subarray(at, end);
  if (!block.subarray(-BLOCK_END_BYTES).equals(BLOCK_END)) return undefined;
  if (block.readUInt32LE(20) !== checksumOf(block)) return undefined;
  return {
    at,
    mark: block.readBigUInt64LE(8),
    sequence: block.readUInt32LE(16),
    payload: block.subarray(BLOCK_HEAD_BYTES, -BLOCK_END_BYTES),
  };
}

function nextBlock(file: Buffer, from: number, sequence: number | undefined): number | undefined {
  const magic = Buffer.from("Prlb", "ascii");
  for (let at = file.indexOf(magic, from); at !== -1; at = file.indexOf(magic, at + 1))
    if (blockAt(file, at, sequence) !== undefined) return at;
  return undefined;
}

/**
 * A write that a crash cut off has left at least one sector as it was, which is zero; ciphertext has no such
 * sector. Behind it everything is zero, because it was the last.
 */
function isTornAt(file: Buffer, at: number): boolean {
  const last = lastNonZero(file);
  const hasHead = at + 8 <= file.length && file.readUInt32LE(at) === BLOCK_MAGIC;
  if (!hasHead) return isZero(file, at, Math.min(sectorAfter(at), file.length));
  const end = at + blockBytes(file.readUInt32LE(at + 4));
  if (end > file.length || last >= end) return false;
  for (let sector = at; sector < end; sector = sectorAfter(sector))
    if (isZero(file, sector, Math.min(sectorAfter(sector), end))) return true;
  return false;
}

const sectorAfter = (at: number): number => (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;

function lastNonZero(file: Buffer): number {
  let at = file.length - 1;
  while (at >= 0 && file[at] === 0) at--;
  return at;
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(file: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, to);
    if (file.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}
