import type { KeyRange, StoredRow, TableName } from "../ports/client-store.ts";

/** A view of the store with the changes of one piece of work laid over it. */
export interface Transaction {
  get(table: TableName, key: string): Promise<Uint8Array | undefined>;
  range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]>;
  /** The bytes belong to the store from here on: do not write into them. */
  put(table: TableName, key: string, value: Uint8Array): void;
  delete(table: TableName, key: string): void;
  /** Runs once the work is durable, in the order of the calls; not at all where the work throws. */
  afterCommit(run: () => void): void;
}
