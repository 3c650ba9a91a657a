import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Clock } from "../../../ports/clock.ts";
import type { Log } from "../../../ports/log.ts";
import type { Mark } from "../../../ports/mark.ts";
import type { Metrics } from "../../../ports/metrics.ts";
import { DiskRoom } from "../disk-room.ts";
import { BLOCK_ALIGNMENT, BLOCK_END_BYTES, BLOCK_HEAD_BYTES } from "./log-block.ts";
import { isDiskFull } from "./log-disk.ts";
import type { MailLog } from "./mail-log.ts";
import {
  MAILBOX_RECORD_BYTES,
  REMOVED_RECORD_BYTES,
  ROW_HEAD_BYTES,
  writeMailbox,
  writeRemoved,
  writeRowHead,
} from "./mail-records.ts";
import type { HotRow, Mailbox } from "./mailbox.ts";

/** What rides along waits this long for a commit to ride in, then makes its own (delivery.md 8). */
export const RIDE_MS_MAX = 30_000;
/** So that one commit does not hold the event loop for long: 1,024 sends take about 5 ms. */
const SENDS_PER_COMMIT_MAX = 1_024;
/** A block is written at once, and more than this hardly makes a commit cheaper. */
const BLOCK_BYTES_MAX = 1024 * 1024;
const FIRST_BUFFER_BYTES = 64 * 1024;
const RETRY_AFTER_MS = 1_000;

export interface MailCommitParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Puts the commit behind what has arrived already: setImmediate in a process, a promise in a simulation. */
  readonly defer: (run: () => void) => void;
  /** The disk failed: ends the process. Nothing is answered any more. */
  readonly onFatal: (cause: unknown) => void;
}

export interface Staged {
  readonly mailbox: Mailbox;
  readonly row: HotRow;
}

export interface MailWork<T> {
  /** Decides, within the commit; what it throws is this work's own failure. Rows are staged by `stage`. */
  readonly run: (stage: (mailbox: Mailbox, row: HotRow) => void) => T;
  /** About how much it writes. */
  readonly bytes: number;
}

export interface Committed<T> {
  readonly value: T;
  readonly mark: Mark;
}

interface Waiting {
  readonly work: MailWork<unknown>;
  readonly resolve: (committed: Committed<unknown>) => void;
  readonly reject: (cause: unknown) => void;
}

interface Decided {
  readonly waiting: Waiting;
  readonly value: unknown;
}

/**
 * The one writer of the mail log. What arrives in one turn of the event loop, or while a commit is under way,
 * forms the next commit: one block, one durable write. What mailboxes have to note (acknowledged rows, state
 * numbers) rides along.
 */
export class MailCommit {
  readonly #log: MailLog;
  readonly #parts: MailCommitParts;
  readonly #room: DiskRoom;
  #mark: Mark;
  #waiting: Waiting[] = [];
  readonly #dirty = new Set<Mailbox>();
  #buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  #isScheduled = false;
  #underWay: Promise<void> | undefined;
  #isStopped = false;
  #failures = 0;
  #cancelRide: (() => void) | undefined;

  constructor(log: MailLog, mark: Mark, parts: MailCommitParts) {
    this.#log = log;
    this.#mark = mark;
    this.#parts = parts;
    this.#room = new DiskRoom(parts.log);
  }

  /** The number of the last commit. */
  get mark(): Mark {
    return this.#mark;
  }

  /** Resolves when everything that the work staged is durable. Rejects with STORAGE_UNAVAILABLE where the disk is full. */
  join<T>(work: MailWork<T>): Promise<Committed<T>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
      this.#schedule();
    });
  }

  /** The mailbox has something to note; it rides in the next commit. */
  note(mailbox: Mailbox): void {
    mailbox.isUnsaved = true;
    if (mailbox.isDirty) return;
    mailbox.isDirty = true;
    this.#dirty.add(mailbox);
    this.#cancelRide ??= this.#parts.clock.after(RIDE_MS_MAX, () => {
      this.#cancelRide = undefined;
      this.#schedule();
    });
  }

  /** It is gone: nothing of it is noted any more. */
  forget(mailbox: Mailbox): void {
    this.#dirty.delete(mailbox);
    mailbox.isDirty = false;
  }

  /** Runs between two commits. */
  async between(run: () => Promise<void> | undefined): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay;
    if (this.#isStopped) return;
    const running = run();
    if (running === undefined) return;
    // No later commit begins before it is done; what fails is the caller's.
    this.#underWay = running.then(ignore, ignore).then(() => this.#ended());
    await running;
  }

  /** Resolves once what waits now is settled, or a write failed: notes would wait for room for ever. */
  async flush(): Promise<void> {
    const failures = this.#failures;
    while (!this.#isStopped && (this.#waiting.length > 0 || this.#dirty.size > 0)) {
      if (this.#failures > failures) return;
      if (this.#underWay === undefined && !this.#commit()) return;
      await this.#underWay;
    }
    await this.#underWay;
  }

  /** Nothing is committed, and nothing settles, any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRide?.();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStopped || this.#underWay !== undefined) return;
    this.#isScheduled = true;
    this.#parts.defer(() => {
      this.#isScheduled = false;
      if (this.#isStopped || this.#underWay !== undefined) return;
      if (this.#waiting.length > 0 || this.#dirty.size > 0) this.#commit();
    });
  }

  #ended(): void {
    this.#underWay = undefined;
    if (this.#waiting.length > 0) this.#schedule();
  }

  /** False: nothing could be written. */
  #commit(): boolean {
    const { metrics } = this.#parts;
    const began = metrics.now();
    const staged: Staged[] = [];
    const decided = this.#decide(staged);
    const noted = [...this.#dirty];
    const block = this.#blockOf(staged, noted);
    const mark = this.#mark + 1n;
    const made = metrics.now();
    const succeed = () => {
      this.#room.written();
      this.#mark = mark;
      const sequence = this.#log.sequence;
      for (const { mailbox } of staged) mailbox.settlePending(sequence);
      for (const { waiting, value } of decided) waiting.resolve({ value, mark });
      const now = metrics.now();
      metrics.committed({
        to: "log",
        works: decided.length,
        bytes: block.length,
        ms: now - began,
        fsyncMs: now - made,
      });
    };
    let written: Promise<void> | undefined;
    try {
      written = this.#log.append(block, mark);
    } catch (cause) {
      this.#fail(cause, { staged, decided, noted });
      return false;
    }
    if (written === undefined) {
      succeed();
      this.#ended();
      return true;
    }
    this.#underWay = written
      .then(
        () => {
          if (!this.#isStopped) succeed();
        },
        (cause: unknown) => this.#fail(cause, { staged, decided, noted }),
      )
      .then(() => this.#ended());
    return true;
  }

  #decide(staged: Staged[]): Decided[] {
    const decided: Decided[] = [];
    let bytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (
        taken >= SENDS_PER_COMMIT_MAX ||
        (taken > 0 && bytes + waiting.work.bytes > BLOCK_BYTES_MAX)
      )
        break;
      taken++;
      bytes += waiting.work.bytes;
      try {
        const value = waiting.work.run((mailbox, row) => {
          mailbox.addPending(row);
          staged.push({ mailbox, row });
        });
        decided.push({ waiting, value });
      } catch (cause) {
        waiting.reject(cause);
      }
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    return decided;
  }

  #blockOf(staged: readonly Staged[], noted: readonly Mailbox[]): Buffer {
    let size = BLOCK_HEAD_BYTES + noted.length * MAILBOX_RECORD_BYTES;
    for (const { row } of staged) size += ROW_HEAD_BYTES + row.bytes.length;
    for (const { removedApart } of noted) size += removedApart.length * REMOVED_RECORD_BYTES;
    size = Math.ceil(size / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT + BLOCK_END_BYTES;
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size * 2);
    const block = this.#buffer.subarray(0, size);
    let at = BLOCK_HEAD_BYTES;
    for (const { mailbox, row } of staged) {
      const { position, bytes } = row;
      writeRowHead(block, at, { mailbox: mailbox.number, position, length: bytes.length });
      block.set(bytes, at + ROW_HEAD_BYTES);
      at += ROW_HEAD_BYTES + bytes.length;
    }
    for (const mailbox of noted) at = this.#writeNoted(block, at, mailbox);
    block.fill(0, at);
    return block;
  }

  #writeNoted(block: Buffer, at: number, mailbox: Mailbox): number {
    const { number, stateNumber, isSkipped, seenDay } = mailbox;
    const floor = Math.min(mailbox.floor, POSITION_MAX);
    writeMailbox(block, at, { mailbox: number, floor, stateNumber, isSkipped, seenDay });
    let next = at + MAILBOX_RECORD_BYTES;
    for (const position of mailbox.removedApart) {
      writeRemoved(block, next, number, position);
      next += REMOVED_RECORD_BYTES;
    }
    // From here on, what changes is of the next commit.
    mailbox.removedApart.length = 0;
    mailbox.isDirty = false;
    this.#dirty.delete(mailbox);
    if (this.#dirty.size === 0) {
      this.#cancelRide?.();
      this.#cancelRide = undefined;
    }
    return next;
  }

  #fail(cause: unknown, batch: { staged: Staged[]; decided: Decided[]; noted: Mailbox[] }): void {
    const isRefusal = cause instanceof ProtocolError;
    this.#failures++;
    if (this.#isStopped) return;
    if (!isRefusal && !isDiskFull(cause)) {
      this.stop();
      this.#parts.onFatal(cause);
      return;
    }
    this.#parts.metrics.commitFailed("log");
    this.#room.full();
    for (const { mailbox } of batch.staged) mailbox.dropPending();
    for (const mailbox of batch.noted) this.note(mailbox);
    const refusal = isRefusal
      ? cause
      : new ProtocolError(ErrorCode.STORAGE_UNAVAILABLE, "the store cannot write now", {
          cause,
          retryAfterMs: RETRY_AFTER_MS,
        });
    for (const { waiting } of batch.decided) waiting.reject(refusal);
  }
}

/** Six bytes of position: at a million messages a second they last for nine years. */
export const POSITION_MAX = 2 ** 48 - 1;

const ignore = (): void => undefined;
