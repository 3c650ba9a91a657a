import type { ClientStore } from "../ports/client-store.ts";
import { Overlay } from "./overlay.ts";
import type { Transaction } from "./transaction.ts";

/** A commit failed: what the store holds is no longer known here. Open the store again. */
export class StoreFailedError extends Error {
  override readonly name = "StoreFailedError";
}

/** At most so many pieces of work share a commit, so that the first of them does not wait for ever. */
const WORKS_PER_COMMIT_MAX = 256;
/** And at most about so many bytes (delivery.md 9). */
const BYTES_PER_COMMIT_MAX = 1_048_576;

/**
 * The one writer of a store. Pieces of work run one after the other, each over what the ones before it have
 * changed; what queues up during a commit forms the next one. The commit is the only clock of batching.
 *
 * A piece of work that throws leaves nothing behind, and only its own `transact` rejects. After a commit
 * that rejects nothing runs any more: `fatal` is told once, and everything that waits rejects with
 * StoreFailedError. Inside a piece of work, never await another `transact` nor the network.
 */
export class Transactor {
  readonly #store: ClientStore;
  readonly #fatal: (cause: unknown) => void;
  readonly #queue: Work[] = [];
  #running: Promise<void> | undefined;
  #failed: StoreFailedError | undefined;

  constructor(store: ClientStore, fatal: (cause: unknown) => void) {
    this.#store = store;
    this.#fatal = fatal;
  }

  /** Resolves with the work's result once what it changed is durable. */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failed !== undefined) return reject(this.#failed);
      this.#queue.push({
        run: async (overlay) => {
          const result = await work(overlay);
          return () => resolve(result);
        },
        reject,
      });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when everything that was queued is done. The store stays open. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    // A turn later, so that what one turn queues shares a commit, and `#running` is set before.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#failed === undefined) await this.#commitNext();
    this.#running = undefined;
  }

  async #commitNext(): Promise<void> {
    const batch = new Overlay(this.#store);
    const done: Done[] = [];
    for (let count = 0; count < WORKS_PER_COMMIT_MAX; count++) {
      const work = this.#queue.shift();
      if (work === undefined) break;
      const own = new Overlay(batch);
      try {
        const settle = await work.run(own);
        batch.takeOver(own);
        done.push({ settle, hooks: own.hooks, reject: work.reject });
      } catch (cause) {
        work.reject(cause);
      }
      if (batch.changedBytes >= BYTES_PER_COMMIT_MAX) break;
    }
    try {
      const changes = batch.changes();
      if (changes.length > 0) await this.#store.commit(changes);
    } catch (cause) {
      this.#fail(cause, done);
      return;
    }
    for (const { settle, hooks } of done) {
      settle();
      for (const hook of hooks) this.#runHook(hook);
    }
  }

  #runHook(hook: () => void): void {
    try {
      hook();
    } catch (cause) {
      this.#fatal(cause);
    }
  }

  #fail(cause: unknown, done: readonly Done[]): void {
    const failed = new StoreFailedError("the store could not commit", { cause });
    this.#failed = failed;
    for (const { reject } of done) reject(failed);
    for (const { reject } of this.#queue.splice(0)) reject(failed);
    this.#fatal(failed);
  }
}

interface Work {
  readonly run: (overlay: Overlay) => Promise<() => void>;
  readonly reject: (cause: unknown) => void;
}

interface Done {
  readonly settle: () => void;
  readonly hooks: readonly (() => void)[];
  readonly reject: (cause: unknown) => void;
}

export type { Transaction };
