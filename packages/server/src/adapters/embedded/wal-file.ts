import { readFileSync } from "node:fs";

/** What SQLite's write-ahead log holds (https://www.sqlite.org/fileformat2.html, section 4). */
export interface WalContent {
  /** The newest committed content of each page that it holds, by number from 1. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** Of the whole store after the last commit; undefined: it holds none. */
  readonly pageCount: number | undefined;
  /** Where bytes stand that were never written like this; what was cut off by a crash is none. */
  readonly damagedAt: number | undefined;
}

const HEAD_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;
const NOTHING: WalContent = { pages: new Map(), pageCount: undefined, damagedAt: undefined };

export function readWal(path: string): WalContent {
  let wal: Buffer;
  try {
    wal = readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return NOTHING;
    throw cause;
  }
  return parseWal(wal);
}

export function parseWal(wal: Buffer): WalContent {
  if (wal.length === 0) return NOTHING;
  const head = headOf(wal);
  if (head === undefined) return { ...NOTHING, damagedAt: isHeadTorn(wal) ? undefined : 0 };
  const { pageSize } = head;
  const frameBytes = FRAME_HEAD_BYTES + pageSize;
  const pages = new Map<number, Uint8Array>();
  let pending = new Map<number, Uint8Array>();
  let sum: Sum = head.sum;
  let pageCount: number | undefined;
  let at = HEAD_BYTES;
  for (; at + frameBytes <= wal.length; at += frameBytes) {
    const next = frameSum(wal, at, { head, sum });
    if (next === undefined) break;
    sum = next;
    pending.set(wal.readUInt32BE(at), wal.subarray(at + FRAME_HEAD_BYTES, at + frameBytes));
    const committed = wal.readUInt32BE(at + 4);
    if (committed === 0) continue;
    for (const [page, content] of pending) pages.set(page, content);
    pending = new Map();
    pageCount = committed;
  }
  const damagedAt = isTorn(wal, at, { head, sum }) ? undefined : at;
  return { pages, pageCount, damagedAt };
}

interface Sum {
  readonly first: number;
  readonly second: number;
}

interface WalHead {
  readonly pageSize: number;
  readonly isLittleEndian: boolean;
  readonly salts: Buffer;
  readonly sum: Sum;
}

function headOf(wal: Buffer): WalHead | undefined {
  if (wal.length < HEAD_BYTES) return undefined;
  const magic = wal.readUInt32BE(0);
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) return undefined;
  const isLittleEndian = magic === MAGIC_LITTLE_ENDIAN;
  const sum = added({ first: 0, second: 0 }, wal.subarray(0, 24), isLittleEndian);
  if (wal.readUInt32BE(24) !== sum.first || wal.readUInt32BE(28) !== sum.second) return undefined;
  return { pageSize: wal.readUInt32BE(8), isLittleEndian, salts: wal.subarray(16, 24), sum };
}

interface Chain {
  readonly head: WalHead;
  /** Of everything before. */
  readonly sum: Sum;
}

/** Of everything up to and with this frame; undefined: it does not hold. */
function frameSum(wal: Buffer, at: number, { head, sum }: Chain): Sum | undefined {
  if (!wal.subarray(at + 8, at + 16).equals(head.salts)) return undefined;
  const page = wal.subarray(at + FRAME_HEAD_BYTES, at + FRAME_HEAD_BYTES + head.pageSize);
  const afterHead = added(sum, wal.subarray(at, at + 8), head.isLittleEndian);
  const found = added(afterHead, page, head.isLittleEndian);
  const fits =
    wal.readUInt32BE(at + 16) === found.first && wal.readUInt32BE(at + 20) === found.second;
  return fits ? found : undefined;
}

function added({ first, second }: Sum, bytes: Buffer, isLittleEndian: boolean): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [one, two] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    one = (one + view.getUint32(at, isLittleEndian) + two) >>> 0;
    two = (two + view.getUint32(at + 4, isLittleEndian) + one) >>> 0;
  }
  return { first: one, second: two };
}

/**
 * From the first frame that does not hold: a last transaction that a crash cut off, which nobody was told of,
 * or damage. It is damage where later transactions follow, and where one bit turned back makes it hold.
 */
function isTorn(wal: Buffer, from: number, chain: Chain): boolean {
  const frameBytes = FRAME_HEAD_BYTES + chain.head.pageSize;
  if (from + frameBytes > wal.length) return true;
  if (commitsFrom(wal, from, chain.head) > 1) return false;
  return !holdsWithOneBitTurned(wal, { from, length: frameBytes }, (frame) =>
    frameSum(frame, 0, chain),
  );
}

function isHeadTorn(wal: Buffer): boolean {
  if (wal.length < HEAD_BYTES) return true;
  const pageSize = wal.readUInt32BE(8);
  const salts = wal.subarray(HEAD_BYTES + 8, HEAD_BYTES + 16);
  if (pageSize >= 512 && commitsFrom(wal, HEAD_BYTES, { pageSize, salts }) > 1) return false;
  return !holdsWithOneBitTurned(wal, { from: 0, length: HEAD_BYTES }, headOf);
}

function commitsFrom(
  wal: Buffer,
  from: number,
  { pageSize, salts }: Pick<WalHead, "pageSize" | "salts">,
): number {
  let commits = 0;
  for (let at = from; at + FRAME_HEAD_BYTES <= wal.length; at += FRAME_HEAD_BYTES + pageSize)
    if (wal.readUInt32BE(at + 4) !== 0 && wal.subarray(at + 8, at + 16).equals(salts)) commits++;
  return commits;
}

/** Some 33,000 tries for a frame: a tenth of a second, at the start after a crash only. */
function holdsWithOneBitTurned(
  wal: Buffer,
  { from, length }: { readonly from: number; readonly length: number },
  holds: (bytes: Buffer) => unknown,
): boolean {
  const bytes = Buffer.from(wal.subarray(from, from + length));
  for (let bit = 0; bit < length * 8; bit++) {
    const at = bit >> 3;
    const before = bytes[at] as number;
    bytes[at] = before ^ (1 << (bit & 7));
    if (holds(bytes) !== undefined) return true;
    bytes[at] = before;
  }
  return false;
}
