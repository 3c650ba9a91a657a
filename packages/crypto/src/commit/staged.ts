import { CryptoError } from "../crypto-error.ts";
import type { StoreTransaction } from "../stores.ts";
import { Kept } from "./kept.ts";

/** What a step would write, on which state it was computed, and what it gives. */
export interface StagedParts<Tx extends StoreTransaction, T> {
  readonly tx: Tx;
  readonly reading: Reading;
  readonly write: (tx: Tx) => Promise<void>;
  readonly value: T;
}

/**
 * A step that is computed and not yet made. Dropped, it was never there. What it gives, a ciphertext or a
 * plaintext, comes out by its commit alone.
 */
export class Staged<Tx extends StoreTransaction, T> {
  readonly #parts: StagedParts<Tx, T>;

  constructor(parts: StagedParts<Tx, T>) {
    this.#parts = parts;
  }

  /**
   * Writes the step in the transaction in which its state was read. Throws `misuse` in another one, and where the
   * state has moved since: two steps from one state would use its keys twice.
   */
  async commit(tx: Tx): Promise<Kept<T>> {
    const { reading, write, value } = this.#parts;
    if (tx !== this.#parts.tx)
      throw new CryptoError("misuse", "staged on what another transaction has read");
    reading.close();
    await write(tx);
    return new Kept(value, tx);
  }
}

/** A state as it was read: good for one step. */
export interface Reading {
  /** Throws `misuse` where a step was made since. */
  close(): void;
}

/** Counts the steps that each transaction has made of each state. */
export class StepCounts<Tx extends StoreTransaction> {
  readonly #counts = new WeakMap<Tx, Map<string, number>>();

  /** To be called before the state is read. */
  reading(tx: Tx, state: string): Reading {
    let counts = this.#counts.get(tx);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(tx, counts);
    }
    const [all, before] = [counts, counts.get(state) ?? 0];
    return {
      close() {
        if ((all.get(state) ?? 0) !== before)
          throw new CryptoError("misuse", "the state has moved since it was read");
        all.set(state, before + 1);
      },
    };
  }
}
