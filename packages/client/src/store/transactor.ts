import type { Change, ClientStore, KeyRange, StoredRow, TableName } from "../ports/client-store.ts";

/** A view of the store with the changes of one piece of work laid over it. */
export interface Transaction {
  get(table: TableName, key: string): Promise<Uint8Array | undefined>;
  range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]>;
  put(table: TableName, key: string, value: Uint8Array): void;
  delete(table: TableName, key: string): void;
  /** Runs after the commit, in order; not at all where the work throws. */
  afterCommit(run: () => void): void;
}

// The Transactor itself: one writer, works run one after the other, what queues up during a commit forms the
// next one.
export type { Change, ClientStore };
