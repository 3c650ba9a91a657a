/**
 * What a device keeps: rows of bytes under text keys, in named tables, kept in the order of their keys
 * (compared by UTF-16 unit; keys are ASCII). One writer at a time: see store/transactor.ts.
 * Platforms: SQLite with sealed rows on Node, IndexedDB in a browser, memory for tests.
 */
export interface ClientStore {
  get(table: TableName, key: string): Promise<Uint8Array | undefined>;
  range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]>;
  /**
   * All changes or none. Resolves once they would survive a power cut. Where it rejects, either may be the
   * case: the owner stops, and begins again from what the store then has.
   */
  commit(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

/** `from` is included, `before` is not. Missing ends are open. */
export interface KeyRange {
  readonly from?: string;
  readonly before?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface StoredRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Without a value: the row is deleted. */
export interface Change {
  readonly table: TableName;
  readonly key: string;
  readonly value?: Uint8Array;
}

/**
 * The vault holds what is small and cannot be had again (delivery.md 9); everything else may vanish and is
 * healed. Tables whose name begins with `vault-` are the vault's.
 */
export type TableName =
  | "vault-device" // one row: seed, registration id, account, handle, server, receipt, recovery code until confirmed
  | "vault-chains" // own account chain
  | "vault-contacts" // pins of contacts: handle, root key, head, accepted, blocked, verified
  | "vault-settings" // what the person has decided, and the keys that go with it
  | "vault-unsent" // entries from typing until accepted
  | "device-state" // one row: state number, epochs, prekey ids, Lamport bookkeeping
  | "prekeys" // private halves
  | "account-chains" // other accounts' chains, verified
  | "sessions" // session records, by protocol address
  | "shared-keys" // live, profile and contact keys: given, echoed, held
  | "chains" // per chain: head, hash, missing ranges, start, receipts
  | "entries" // exact bytes of entries, by conversation, chain and counter
  | "messages" // message id -> entry: an id is shown once
  | "timeline" // the order of the screen, and what waits for its place
  | "conversations" // per conversation: this device's open chain
  | "holes" // what is known to be missing, and when it is asked for
  | "receipts" // what is due, and what was accepted
  | "outbox" // sends under way, with their exact bytes until accepted
  | "parked"; // envelopes that wait for something
