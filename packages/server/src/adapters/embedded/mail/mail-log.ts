import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { ErrorCode, ProtocolError } from "@parley/protocol";
import { type Block, fileHead, HEAD_BYTES, scanFile, sealBlock } from "./log-block.ts";
import type { LogDisk, LogFile } from "./log-disk.ts";

export interface MailLogOptions {
  readonly folder: string;
  readonly disk: LogDisk;
  readonly fileBytes: number;
  /** Files up to this one, and marks up to that one, hold nothing that is not in the store too. */
  readonly retired: { readonly sequence: number; readonly mark: bigint };
}

/** A part of the log that cannot be read: what was accepted after that mark may be lost; undefined: nothing. */
export interface LogDamage {
  readonly file: string;
  readonly at: number;
  readonly lostAfter: bigint | undefined;
}

interface Slot {
  readonly path: string;
  readonly file: LogFile;
  sequence: number;
  readonly sizeBytes: number;
  /** Bytes that are not zero end here. */
  end: number;
  /** Of the last block in it; that of the file before where there is none. */
  mark: bigint;
}

/** The one that is written, one that is emptied, and two for when the store is slow to take what they hold. */
const FILES_MAX = 4;
const NAME = /^mail-[0-9]\.log$/;
const RETRY_AFTER_MS = 1_000;

/**
 * An append-only log in a few files of a fixed size that are used in turn. A block is durable before anything
 * in it is acknowledged; what is not needed any more is overwritten with zeros.
 */
export class MailLog {
  readonly #options: MailLogOptions;
  /** In use, oldest first; the last is written to. */
  readonly #used: Slot[] = [];
  readonly #free: Slot[] = [];
  #creating: Promise<void> | undefined;
  /** Whoever waits for a file to write to. */
  #starved: { freed: () => void; refused: (cause: unknown) => void } | undefined;
  /** A file is full: what is in it should move to the store. */
  onFull: () => void = () => undefined;
  #isClosed = false;
  #recovered: Block[] = [];
  readonly damage: LogDamage[] = [];
  /** A write was cut off by a crash. It was never acknowledged. */
  wasTorn = false;

  private constructor(options: MailLogOptions) {
    this.#options = options;
  }

  /** Reads what is there. The promise, where there is one, is that of a first file. */
  static open(options: MailLogOptions): MailLog {
    const log = new MailLog(options);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(options.folder);
    for (const name of names.filter((each) => each.startsWith("mail-") && each.endsWith(".new")))
      rmSync(join(options.folder, name));
    for (const name of names.filter((each) => NAME.test(each)).sort()) log.#read(name);
    log.#used.sort((a, b) => a.sequence - b.sequence);
    log.#recovered.sort((a, b) => (a.mark < b.mark ? -1 : 1));
    log.#noteMissing();
    return log;
  }

  /** The blocks that were there at the start, oldest first; once. */
  takeRecovered(): readonly Block[] {
    const blocks = this.#recovered;
    this.#recovered = [];
    return blocks;
  }

  /** The file that is written now. */
  get sequence(): number {
    return this.#used.at(-1)?.sequence ?? this.#options.retired.sequence;
  }

  /** The file before it, and the last mark in it. */
  get lastFull(): { readonly sequence: number; readonly mark: bigint } {
    const slot = this.#used.at(-2);
    return { sequence: slot?.sequence ?? this.#options.retired.sequence, mark: slot?.mark ?? 0n };
  }

  get isEmpty(): boolean {
    return this.#used.length <= 1 && (this.#used.at(-1)?.end ?? HEAD_BYTES) <= HEAD_BYTES;
  }

  /** The longest block that any file takes. */
  get blockBytesMax(): number {
    return this.#options.fileBytes - HEAD_BYTES;
  }

  get fileCount(): number {
    return this.#used.length + this.#free.length;
  }

  /**
   * Writes one block, whose payload stands behind BLOCK_HEAD_BYTES of room. Durable when the promise
   * resolves; undefined: it is durable already. Rejects with STORAGE_UNAVAILABLE where there is no file to
   * write to.
   */
  append(block: Buffer, mark: bigint): Promise<void> | undefined {
    const slot = this.#used.at(-1);
    if (slot === undefined || slot.end + block.length > slot.sizeBytes)
      return this.#appendToNext(block, mark);
    return this.#write(slot, block, mark);
  }

  /** Goes on in the next file, so that this one can be retired. */
  rotate(): Promise<void> | undefined {
    if (this.#isClosed) return new Promise(() => undefined);
    const slot = this.#free.shift();
    if (slot === undefined) return this.#nextFree().then(() => this.rotate());
    slot.sequence = this.sequence + 1;
    const begun = () => {
      slot.end = HEAD_BYTES;
      slot.mark = this.#used.at(-1)?.mark ?? 0n;
      this.#used.push(slot);
    };
    let written: Promise<void> | undefined;
    try {
      written = slot.file.write(fileHead(slot.sequence, slot.sizeBytes), 0);
    } catch (cause) {
      this.#free.push(slot);
      throw cause;
    }
    if (written === undefined) {
      begun();
      return undefined;
    }
    return written.then(begun, (cause: unknown) => {
      this.#free.push(slot);
      throw cause;
    });
  }

  /** Everything in the files up to this one is in the store: they are emptied and used again. */
  async retire(sequence: number): Promise<void> {
    for (;;) {
      const [slot] = this.#used;
      if (slot === undefined || slot.sequence > sequence || this.#used.length === 1) return;
      this.#used.shift();
      await slot.file.clear(HEAD_BYTES, slot.end);
      await slot.file.clear(0, HEAD_BYTES);
      if (this.#isClosed) return;
      this.#free.push(slot);
      this.#starved?.freed();
    }
  }

  /** Nothing can be retired now: whoever waits for a file is refused. */
  refuse(): void {
    this.#starved?.refused(
      new ProtocolError(ErrorCode.STORAGE_UNAVAILABLE, "the store takes nothing from the log now", {
        retryAfterMs: RETRY_AFTER_MS,
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    for (const { file } of [...this.#used, ...this.#free]) file.close();
  }

  #read(name: string): void {
    const { folder, disk, fileBytes, retired } = this.#options;
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const { sequence, blocks, end, isTorn, damage } = scanFile(bytes);
    const isEmpty = sequence === undefined && damage.length === 0;
    if (isEmpty && bytes.length !== fileBytes) {
      rmSync(path);
      return;
    }
    const slot = {
      path,
      file: disk.open(path),
      sequence: sequence ?? 0,
      sizeBytes: bytes.length,
      mark: blocks.at(-1)?.mark ?? 0n,
    };
    // Nothing is needed of a file that is retired, whatever is left of it.
    if (isEmpty || (sequence !== undefined && sequence <= retired.sequence)) {
      this.#free.push({ ...slot, end: isEmpty ? HEAD_BYTES : bytes.length });
      return;
    }
    for (const { at, lostAfter } of damage) this.damage.push({ file: name, at, lostAfter });
    this.wasTorn ||= isTorn;
    this.#recovered.push(...blocks);
    // Nothing more goes behind what is torn or damaged.
    const isSound = !isTorn && damage.length === 0;
    this.#used.push({ ...slot, end: isSound ? end : bytes.length });
  }

  /** A file that was emptied though the store, as it is now, does not say so: the store has lost something. */
  #noteMissing(): void {
    let { sequence: last, mark } = this.#options.retired;
    for (const slot of this.#used) {
      if (slot.sequence > last + 1)
        this.damage.push({ file: basename(slot.path), at: 0, lostAfter: mark });
      last = slot.sequence;
      if (slot.mark > mark) mark = slot.mark;
    }
  }

  /** What was free at the start may hold remains of a retirement that a crash cut off. */
  async clearFree(): Promise<void> {
    for (const slot of this.#free) {
      if (slot.end > HEAD_BYTES) await slot.file.clear(0, slot.end);
      slot.end = HEAD_BYTES;
    }
  }

  async #appendToNext(block: Buffer, mark: bigint): Promise<void> {
    await this.rotate();
    if (this.#used.length > 1) this.onFull();
    await this.#write(this.#used.at(-1) as Slot, block, mark);
  }

  #write(slot: Slot, block: Buffer, mark: bigint): Promise<void> | undefined {
    sealBlock(block, mark, slot.sequence);
    const wrote = () => {
      slot.end += block.length;
      slot.mark = mark;
      // The next one is made before it is needed.
      if (this.#free.length === 0 && this.fileCount < FILES_MAX && slot.end * 2 > slot.sizeBytes)
        this.#create().catch(() => undefined);
    };
    // Where a write fails, part of it may be there: nothing more goes to this file.
    const failed = (cause: unknown) => {
      slot.end = slot.sizeBytes;
      throw cause;
    };
    let written: Promise<void> | undefined;
    try {
      written = slot.file.write(block, slot.end);
    } catch (cause) {
      failed(cause);
    }
    if (written === undefined) {
      wrote();
      return undefined;
    }
    return written.then(wrote, failed);
  }

  #nextFree(): Promise<void> {
    if (this.fileCount < FILES_MAX) return this.#create();
    return new Promise<void>((freed, refused) => {
      this.#starved = { freed, refused };
      this.onFull();
    }).finally(() => {
      this.#starved = undefined;
    });
  }

  #create(): Promise<void> {
    this.#creating ??= this.#createOne().finally(() => {
      this.#creating = undefined;
    });
    return this.#creating;
  }

  async #createOne(): Promise<void> {
    const { folder, disk, fileBytes } = this.#options;
    const taken = new Set([...this.#used, ...this.#free].map(({ path }) => path));
    const paths = Array.from({ length: FILES_MAX }, (_, i) => join(folder, `mail-${i}.log`));
    const path = paths.find((each) => !taken.has(each)) as string;
    await disk.create(path, fileBytes);
    if (this.#isClosed) return;
    this.#free.push({
      path,
      file: disk.open(path),
      sequence: 0,
      sizeBytes: fileBytes,
      end: HEAD_BYTES,
      mark: 0n,
    });
  }
}
