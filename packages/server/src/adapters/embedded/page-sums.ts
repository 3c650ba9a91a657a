import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { readWal, type WalContent } from "./wal-file.ts";

/**
 * A checksum for each page of the store, in a file beside it: SQLite itself has none, and a bit that turned
 * in an account's key would be served. "PrlySums" · page size 4 · pages 4 · CRC-32 of each 4 · CRC-32 of all
 * these 4; little-endian.
 *
 * Sums are written before the pages move from the write-ahead log into the file. While they move, and until
 * the log is empty, the log has the pages, and what the file holds of them does not count; so there is no
 * moment at which a crash leaves sums that are wrong.
 */
export class PageSums {
  readonly #path: string;
  #pageSize: number;
  #sums: Uint32Array;

  private constructor(path: string, pageSize: number, sums: Uint32Array) {
    this.#path = path;
    this.#pageSize = pageSize;
    this.#sums = sums;
  }

  /**
   * Of the store at that path, before SQLite opens it: a file that is closed here would take SQLite's locks
   * away. What is damaged comes as words.
   */
  static inspect(storePath: string): {
    readonly sums: PageSums;
    readonly damage: readonly string[];
  } {
    const path = `${storePath}-sums`;
    const wal = readWal(`${storePath}-wal`);
    const damage: string[] = [];
    if (wal.damagedAt !== undefined)
      damage.push(`${storePath}-wal is not what was written, from byte ${wal.damagedAt} on`);
    const found = readSums(path);
    if (found === "damaged") damage.push(`${path} is not what was written`);
    if (found === undefined || found === "damaged") {
      const pageSize = pageSizeOf(storePath) ?? DEFAULT_PAGE_BYTES;
      const made = new PageSums(path, pageSize, sumsOf(storePath, pageSize));
      made.#take(wal);
      return { sums: made, damage };
    }
    const now = sumsOf(storePath, found.pageSize);
    const sums = new PageSums(path, found.pageSize, found.sums);
    damage.push(...sums.#compare(storePath, now, wal));
    sums.#take(wal);
    return { sums, damage };
  }

  /** What the write-ahead log holds is about to move into the store. */
  note(storePath: string): void {
    const wal = readWal(`${storePath}-wal`);
    if (wal.pageCount === undefined) return;
    this.#take(wal);
    this.write();
  }

  /** SQLite is about to move its log into the store, whatever becomes of the sums: wrong ones must not stay. */
  noteOrForget(storePath: string): void {
    try {
      this.note(storePath);
    } catch {
      rmSync(this.#path, { force: true });
    }
  }

  /** Durable when it returns. */
  write(): void {
    const bytes = Buffer.alloc(HEAD_BYTES + 4 * this.#sums.length + 4);
    MAGIC.copy(bytes);
    bytes.writeUInt32LE(this.#pageSize, 8);
    bytes.writeUInt32LE(this.#sums.length, 12);
    for (const [page, sum] of this.#sums.entries()) bytes.writeUInt32LE(sum, HEAD_BYTES + 4 * page);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
    writeFileSync(`${this.#path}.new`, bytes, { mode: 0o600, flush: true });
    renameSync(`${this.#path}.new`, this.#path);
    syncFolder(dirname(this.#path));
  }

  #take({ pages, pageCount }: WalContent): void {
    if (pageCount === undefined) return;
    const sums = new Uint32Array(pageCount);
    sums.set(this.#sums.subarray(0, pageCount));
    for (const [page, content] of pages) if (page <= pageCount) sums[page - 1] = crc32(content);
    const [first] = pages.values();
    if (first !== undefined) this.#pageSize = first.length;
    this.#sums = sums;
  }

  #compare(storePath: string, now: Uint32Array, { pages, pageCount }: WalContent): string[] {
    const damage: string[] = [];
    const known = this.#sums.length;
    for (let page = 1; page <= known; page++) {
      // The log has a newer one, or the store ends before it by now.
      if (pages.has(page) || (pageCount !== undefined && page > pageCount)) continue;
      if (now[page - 1] === this.#sums[page - 1]) continue;
      const from = (page - 1) * this.#pageSize;
      damage.push(
        `${storePath} is not what was written: page ${page}, bytes ${from} to ${from + this.#pageSize - 1}`,
      );
    }
    return damage;
  }
}

const MAGIC = Buffer.from("PrlySums", "ascii");
const HEAD_BYTES = 16;
const DEFAULT_PAGE_BYTES = 4_096;
/** Pages are read in pieces of about a megabyte. */
const PIECE_PAGES = 256;

function readSums(
  path: string,
): { readonly pageSize: number; readonly sums: Uint32Array } | "damaged" | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (bytes.length < HEAD_BYTES + 4 || !bytes.subarray(0, 8).equals(MAGIC)) return "damaged";
  const count = bytes.readUInt32LE(12);
  if (bytes.length !== HEAD_BYTES + 4 * count + 4) return "damaged";
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(bytes.length - 4)) return "damaged";
  const sums = Uint32Array.from({ length: count }, (_, i) =>
    bytes.readUInt32LE(HEAD_BYTES + 4 * i),
  );
  return { pageSize: bytes.readUInt32LE(8), sums };
}

/** Bytes 16 and 17 of the file; 1 stands for 65,536. */
function pageSizeOf(storePath: string): number | undefined {
  if (!existsSync(storePath) || statSync(storePath).size < 100) return undefined;
  const descriptor = openSync(storePath, "r");
  try {
    const head = Buffer.alloc(100);
    readSync(descriptor, head, 0, 100, 0);
    const size = head.readUInt16BE(16);
    if (size === 1) return 65_536;
    const isPower = size >= 512 && (size & (size - 1)) === 0;
    return isPower ? size : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function sumsOf(storePath: string, pageSize: number): Uint32Array {
  if (!existsSync(storePath)) return new Uint32Array(0);
  const size = statSync(storePath).size;
  const sums = new Uint32Array(Math.ceil(size / pageSize));
  const descriptor = openSync(storePath, "r");
  try {
    const piece = Buffer.allocUnsafe(PIECE_PAGES * pageSize);
    for (let page = 0; page < sums.length; page += PIECE_PAGES) {
      const read = readSync(descriptor, piece, 0, piece.length, page * pageSize);
      for (let i = 0; i * pageSize < read; i++)
        sums[page + i] = crc32(piece.subarray(i * pageSize, Math.min((i + 1) * pageSize, read)));
    }
    return sums;
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
