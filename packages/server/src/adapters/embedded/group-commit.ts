import { statSync } from "node:fs";
import type { StatementSync } from "node:sqlite";
import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Metrics } from "../../ports/metrics.ts";
import { DiskRoom } from "./disk-room.ts";
import type { OpenedStore } from "./open-store.ts";
import { isFatal, isFull, isStoreError } from "./store-errors.ts";

/** What rides along waits this long for a commit to ride in, then makes its own (delivery.md 8). */
export const RIDE_MS_MAX = 30_000;
/** So that one commit does not hold the event loop for long: 1,024 sends take about 10 ms. */
const WORK_PER_COMMIT_MAX = 1_024;
/** SQLite's own default, 1,000 pages: long enough to be rare, short enough to replay at once. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;

export interface GroupCommitParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Puts the commit behind what has arrived already: setImmediate in a process, a promise in a simulation. */
  readonly defer: (run: () => void) => void;
  /** The disk failed: ends the process. Nothing is answered any more. */
  readonly onFatal: (cause: unknown) => void;
}

interface Work {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * The one writer of the store. What arrives in one turn of the event loop, or while a commit is under way,
 * forms the next commit, with one fsync for all of it.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  readonly #store: OpenedStore;
  readonly #logPath: string;
  readonly #room: DiskRoom;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #moveLog: StatementSync;
  readonly #onRollback: (() => void)[] = [];
  #joined: Work[] = [];
  #riding: Work[] = [];
  #scheduled = false;
  #stopped = false;
  #cancelRide: (() => void) | undefined;
  #logBytes = 0;
  #fsyncMs = 0;

  constructor(store: OpenedStore, parts: GroupCommitParts) {
    this.#store = store;
    this.#parts = parts;
    this.#room = new DiskRoom(parts.log);
    this.#logPath = `${store.path}-wal`;
    this.#savepoint = store.db.prepare("SAVEPOINT work");
    this.#release = store.db.prepare("RELEASE work");
    this.#moveLog = store.db.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Whoever keeps in memory what the store has throws it away here. */
  onRollback(forget: () => void): void {
    this.#onRollback.push(forget);
  }

  /**
   * Runs `work` within the next commit and resolves when that is durable. What `work` throws undoes its own
   * statements only. Rejects with STORAGE_UNAVAILABLE where the disk is full.
   */
  join<T>(work: () => T): Promise<T> {
    return this.#add(this.#joined, work, () => this.#schedule());
  }

  /** Like `join`, but causes no commit of its own before RIDE_MS_MAX, and waits where the disk is full. */
  ride<T>(work: () => T): Promise<T> {
    return this.#add(this.#riding, work, () => this.#scheduleRide());
  }

  /** Commits what waits, at once. */
  flush(): void {
    while (!this.#stopped && this.#joined.length + this.#riding.length > 0)
      if (!this.#commit()) return;
  }

  /** Nothing is committed, and nothing settles, any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRide?.();
  }

  #add<T>(queue: Work[], run: () => T, schedule: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      queue.push({ run, resolve: resolve as Work["resolve"], reject });
      schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#parts.defer(() => {
      this.#scheduled = false;
      if (this.#stopped || this.#joined.length === 0) return;
      this.#commit();
      if (this.#joined.length > 0) this.#schedule();
    });
  }

  #scheduleRide(): void {
    if (this.#cancelRide !== undefined || this.#stopped) return;
    this.#cancelRide = this.#parts.clock.after(RIDE_MS_MAX, () => {
      this.#cancelRide = undefined;
      if (!this.#stopped && this.#riding.length > 0) this.#commit();
    });
  }

  /** False: nothing could be written. */
  #commit(): boolean {
    const joined = this.#joined.splice(0, WORK_PER_COMMIT_MAX);
    const riding = this.#riding.splice(0, WORK_PER_COMMIT_MAX);
    const began = this.#parts.metrics.now();
    let settle: (() => void)[];
    try {
      settle = this.#write([...riding, ...joined]);
    } catch (cause) {
      this.#undo(cause, joined, riding);
      return false;
    }
    const ms = this.#parts.metrics.now() - began;
    const bytes = this.#checkpoint();
    if (bytes === undefined) return false;
    this.#room.written();
    const works = joined.length + riding.length;
    this.#parts.metrics.committed({ to: "store", works, bytes, ms, fsyncMs: this.#fsyncMs });
    this.#cancelRide?.();
    this.#cancelRide = undefined;
    if (this.#riding.length > 0) this.#scheduleRide();
    for (const each of settle) each();
    return true;
  }

  #write(batch: readonly Work[]): (() => void)[] {
    const { db } = this.#store;
    db.exec("BEGIN IMMEDIATE");
    const settle = batch.map((work) => this.#runOne(work));
    const decided = this.#parts.metrics.now();
    db.exec("COMMIT");
    this.#fsyncMs = this.#parts.metrics.now() - decided;
    return settle;
  }

  #runOne({ run, resolve, reject }: Work): () => void {
    this.#savepoint.run();
    try {
      const value = run();
      this.#release.run();
      return () => resolve(value);
    } catch (cause) {
      if (isStoreError(cause) && (isFull(cause) || isFatal(cause))) throw cause;
      this.#store.db.exec("ROLLBACK TO work; RELEASE work");
      for (const forget of this.#onRollback) forget();
      return () => reject(cause);
    }
  }

  #undo(cause: unknown, joined: readonly Work[], riding: readonly Work[]): void {
    if (isFatal(cause)) {
      this.#fail(cause);
      return;
    }
    if (this.#store.db.isTransaction) this.#store.db.exec("ROLLBACK");
    for (const forget of this.#onRollback) forget();
    this.#riding.unshift(...riding);
    if (this.#riding.length > 0) this.#scheduleRide();
    this.#parts.metrics.commitFailed("store");
    if (isFull(cause)) this.#room.full();
    const refusal = isFull(cause)
      ? new ProtocolError(ErrorCode.STORAGE_UNAVAILABLE, "the store cannot write now", { cause })
      : cause;
    for (const { reject } of joined) reject(refusal);
  }

  /**
   * Moves the log into the file. An automatic checkpoint would do it too, and would hide a failed fsync. Returns
   * by how much the log had grown; undefined: the disk failed.
   */
  #checkpoint(): number | undefined {
    let grownBytes = 0;
    try {
      const logBytes = statSync(this.#logPath).size;
      grownBytes = Math.max(0, logBytes - this.#logBytes);
      this.#logBytes = logBytes;
      if (logBytes >= LOG_BYTES_MAX) {
        this.#store.sums.note(this.#store.path);
        this.#moveLog.all();
        this.#logBytes = 0;
      }
    } catch (cause) {
      if (!isFull(cause)) {
        this.#fail(cause);
        return undefined;
      }
      this.#parts.log.warn({}, "store-log-grows");
    }
    return grownBytes;
  }

  #fail(cause: unknown): void {
    this.stop();
    this.#parts.onFatal(cause);
  }
}
