import { CryptoError } from "../crypto-error.ts";
import type { StoreTransaction } from "../stores.ts";

/**
 * A result whose step is written in a transaction. Inside that one it may be stored and worked with; for the
 * world, the wire or the screen, it is there once the transaction is durable.
 */
export class Kept<T> {
  readonly #value: T;
  readonly #tx: StoreTransaction;
  readonly #fate: Fate;

  constructor(value: T, tx: StoreTransaction) {
    this.#value = value;
    this.#tx = tx;
    this.#fate = fateOf(tx);
  }

  /** For rows of the same transaction, and what is done in it. Throws `misuse` for another. */
  inside(tx: StoreTransaction): T {
    if (tx !== this.#tx) throw new CryptoError("misuse", "kept in another transaction");
    return this.#value;
  }

  /** To be sent, shown or acknowledged. Throws `misuse` before the commit, and for ever where it failed. */
  get released(): T {
    if (!this.#fate.isDurable) throw new CryptoError("misuse", "not durable yet");
    return this.#value;
  }
}

interface Fate {
  isDurable: boolean;
}

/** One hook for all that a transaction keeps. */
const fates = new WeakMap<StoreTransaction, Fate>();

function fateOf(tx: StoreTransaction): Fate {
  let fate = fates.get(tx);
  if (fate === undefined) {
    const made: Fate = { isDurable: false };
    tx.afterCommit(() => {
      made.isDurable = true;
    });
    fates.set(tx, made);
    fate = made;
  }
  return fate;
}
