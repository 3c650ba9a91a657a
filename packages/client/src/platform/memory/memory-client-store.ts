import { copyOf } from "@parley/protocol";
import type {
  Change,
  ClientStore,
  KeyRange,
  StoredRow,
  TableName,
} from "../../ports/client-store.ts";

/** What a store held at one moment. */
export type MemoryCopy = ReadonlyMap<TableName, ReadonlyMap<string, Uint8Array>>;

/**
 * A store in memory, for tests and simulations. What it holds outlives its `close`, and the kill of its
 * owner: `reopen` gives the same rows to the next owner, and nothing that the old one still tries gets in.
 */
export class MemoryClientStore implements ClientStore {
  readonly #disk: Disk;
  readonly #session: number;

  constructor(disk: Disk = { tables: new Map(), session: 0, failure: undefined }) {
    this.#disk = disk;
    disk.session += 1;
    this.#session = disk.session;
  }

  async get(table: TableName, key: string): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return this.#disk.tables.get(table)?.get(key)?.slice();
  }

  async range(
    table: TableName,
    { from, before, limit, reverse = false }: KeyRange,
  ): Promise<readonly StoredRow[]> {
    this.#assertOpen();
    const rows = this.#disk.tables.get(table) ?? new Map<string, Uint8Array>();
    const keys = [...rows.keys()]
      .filter(
        (key) => (from === undefined || key >= from) && (before === undefined || key < before),
      )
      .sort();
    if (reverse) keys.reverse();
    return keys.slice(0, limit).map((key) => ({ key, value: copyOf(rows.get(key) as Uint8Array) }));
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#assertOpen();
    const { tables, failure } = this.#disk;
    this.#disk.failure = undefined;
    if (failure === "before") throw new Error("commit failed, as told: nothing is stored");
    for (const { table, key, value } of changes) {
      const rows = tables.get(table) ?? new Map<string, Uint8Array>();
      tables.set(table, rows);
      if (value === undefined) rows.delete(key);
      else rows.set(key, copyOf(value));
    }
    if (failure === "after") throw new Error("commit failed, as told: everything is stored");
  }

  async close(): Promise<void> {
    if (this.#disk.session === this.#session) this.#disk.session += 1;
  }

  /** The same rows for the next owner. This one is shut out, closed or not. */
  reopen(): MemoryClientStore {
    this.#disk.failure = undefined;
    return new MemoryClientStore(this.#disk);
  }

  /** The next commit rejects: having stored nothing, or having stored everything. */
  failNext(when: "before" | "after"): void {
    this.#disk.failure = when;
  }

  copy(): MemoryCopy {
    return new Map([...this.#disk.tables].map(([table, rows]) => [table, new Map(rows)]));
  }

  /** As a virtual machine is put back to an older state. */
  restore(copy: MemoryCopy): void {
    this.#disk.tables.clear();
    for (const [table, rows] of copy) this.#disk.tables.set(table, new Map(rows));
  }

  #assertOpen(): void {
    if (this.#disk.session !== this.#session) throw new Error("the store is closed");
  }
}

interface Disk {
  readonly tables: Map<TableName, Map<string, Uint8Array>>;
  /** The owner that may use it. */
  session: number;
  failure: "before" | "after" | undefined;
}
