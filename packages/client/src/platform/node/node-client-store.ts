import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type {
  Change,
  ClientStore,
  KeyRange,
  StoredRow,
  TableName,
} from "../../ports/client-store.ts";
import { open, seal } from "./seal.ts";
import { StoreDamagedError } from "./store-errors.ts";

export const SCHEMA_VERSION = 1;
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS rows (place TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (place, key)) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};`;
const GET = "SELECT value FROM rows WHERE place = ? AND key = ?";
const PUT = "INSERT OR REPLACE INTO rows (place, key, value) VALUES (?, ?, ?)";
const DELETE = "DELETE FROM rows WHERE place = ? AND key = ?";

/** What was deleted leaves the log within this time (trust.md 8). */
const CHECKPOINT_INTERVAL_MS = 60 * 60 * 1000;

/**
 * One SQLite file whose rows are sealed: AES-256-GCM under the data key, bound to their table, key and
 * schema version, so that none can be put in another's place. Names of tables and keys (ids) are readable.
 * The write-ahead log is synced before a commit resolves. Opened by `openNodeStore`.
 */
export class NodeClientStore implements ClientStore {
  readonly #db: DatabaseSync;
  readonly #dataKey: Uint8Array;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #ranges = new Map<string, StatementSync>();
  readonly #checkpoints: NodeJS.Timeout;

  constructor(db: DatabaseSync, dataKey: Uint8Array) {
    this.#db = db;
    this.#dataKey = dataKey;
    this.#get = db.prepare(GET);
    this.#put = db.prepare(PUT);
    this.#delete = db.prepare(DELETE);
    this.#checkpoints = setInterval(() => this.#checkpoint(), CHECKPOINT_INTERVAL_MS).unref();
  }

  async get(table: TableName, key: string): Promise<Uint8Array | undefined> {
    const row = this.#get.get(table, key);
    return row === undefined ? undefined : this.#open(table, key, row["value"] as Uint8Array);
  }

  async range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]> {
    const { from, before, limit } = range;
    const values: SQLInputValue[] = [table];
    for (const value of [from, before, limit]) if (value !== undefined) values.push(value);
    const rows = this.#rangeStatement(range).all(...values) as { key: string; value: Uint8Array }[];
    return rows.map(({ key, value }) => ({ key, value: this.#open(table, key, value) }));
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const { table, key, value } of changes) {
        if (value === undefined) this.#delete.run(table, key);
        else this.#put.run(table, key, seal(this.#dataKey, value, contextOf(table, key)));
      }
      this.#db.exec("COMMIT");
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw cause;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#checkpoints);
    if (!this.#db.isOpen) return;
    this.#db.close();
    this.#dataKey.fill(0);
  }

  #open(table: TableName, key: string, sealed: Uint8Array): Uint8Array {
    const value = open(this.#dataKey, sealed, contextOf(table, key));
    if (value === undefined) throw new StoreDamagedError(`a row of ${table} has changed`);
    return value;
  }

  #rangeStatement({ from, before, limit, reverse = false }: KeyRange): StatementSync {
    const sql = [
      "SELECT key, value FROM rows WHERE place = ?",
      from === undefined ? "" : "AND key >= ?",
      before === undefined ? "" : "AND key < ?",
      `ORDER BY key ${reverse ? "DESC" : "ASC"}`,
      limit === undefined ? "" : "LIMIT ?",
    ].join(" ");
    let statement = this.#ranges.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#ranges.set(sql, statement);
    }
    return statement;
  }

  #checkpoint(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}

function contextOf(table: TableName, key: string): string {
  return `${table}\n${key}\n${SCHEMA_VERSION}`;
}
