import type { Change, ClientStore, KeyRange, StoredRow, TableName } from "../ports/client-store.ts";
import type { Transaction } from "./transaction.ts";

type Below = Pick<ClientStore, "get" | "range">;

/** Changes that are not in the store yet, and a view of the store through them. */
export class Overlay implements Transaction {
  readonly hooks: (() => void)[] = [];
  readonly #below: Below;
  /** Undefined as a value: deleted. */
  readonly #tables = new Map<TableName, Map<string, Uint8Array | undefined>>();
  #changedBytes = 0;

  constructor(below: Below) {
    this.#below = below;
  }

  get changedBytes(): number {
    return this.#changedBytes;
  }

  async get(table: TableName, key: string): Promise<Uint8Array | undefined> {
    const changed = this.#tables.get(table);
    if (changed?.has(key) === true) return changed.get(key);
    return await this.#below.get(table, key);
  }

  async range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]> {
    const changed = changesWithin(this.#tables.get(table), range);
    if (changed.length === 0) return await this.#below.range(table, range);
    // Each change can hide at most one row below, so this many suffice to fill the limit.
    const below = await this.#below.range(
      table,
      range.limit === undefined ? range : { ...range, limit: range.limit + changed.length },
    );
    const rows = new Map(below.map(({ key, value }) => [key, value]));
    for (const [key, value] of changed) {
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
    const ascending = [...rows]
      .map(([key, value]) => ({ key, value }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    if (range.reverse === true) ascending.reverse();
    return range.limit === undefined ? ascending : ascending.slice(0, range.limit);
  }

  put(table: TableName, key: string, value: Uint8Array): void {
    this.#set(table, key, value);
  }

  delete(table: TableName, key: string): void {
    this.#set(table, key, undefined);
  }

  afterCommit(run: () => void): void {
    this.hooks.push(run);
  }

  /** Lays the other's changes over these. Its hooks stay its own. */
  takeOver(other: Overlay): void {
    for (const [table, rows] of other.#tables)
      for (const [key, value] of rows) this.#set(table, key, value);
  }

  changes(): Change[] {
    const all: Change[] = [];
    for (const [table, rows] of this.#tables)
      for (const [key, value] of rows)
        all.push(value === undefined ? { table, key } : { table, key, value });
    return all;
  }

  #set(table: TableName, key: string, value: Uint8Array | undefined): void {
    let rows = this.#tables.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#tables.set(table, rows);
    }
    this.#changedBytes += key.length + (value?.length ?? 0);
    rows.set(key, value);
  }
}

function changesWithin(
  rows: ReadonlyMap<string, Uint8Array | undefined> | undefined,
  { from, before }: KeyRange,
): [string, Uint8Array | undefined][] {
  if (rows === undefined) return [];
  return [...rows].filter(
    ([key]) => (from === undefined || key >= from) && (before === undefined || key < before),
  );
}
