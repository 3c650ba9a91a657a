import type { MessengerEvent } from "./api.ts";
import type { Transaction } from "./store/transaction.ts";

/** Where the parts put what the program is to see. */
export type Emit = (event: MessengerEvent) => void;

/** Events come after the commit that they tell of. */
export function emitAfter(tx: Transaction, emit: Emit, event: MessengerEvent): void {
  tx.afterCommit(() => emit(event));
}
