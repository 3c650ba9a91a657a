import { chmodSync, closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDataKey, type StoreKey, unwrapDataKey, type WrappedKey } from "./data-key.ts";
import { makeFolder } from "./make-folder.ts";
import { NodeClientStore, SCHEMA, SCHEMA_VERSION } from "./node-client-store.ts";
import { StoreDamagedError, StoreInUseError } from "./store-errors.ts";

export type NodeStoreOptions = { readonly folder: string } & StoreKey;

const FILE_NAME = "device.sqlite";

/**
 * Opens this device's store in the folder, or makes it. Rejects with StoreInUseError while another process
 * has it (a killed one does not), WrongKeyError, or StoreDamagedError; nothing is changed then.
 */
export async function openNodeStore(options: NodeStoreOptions): Promise<NodeClientStore> {
  const db = openLocked(makeFile(options.folder));
  try {
    return new NodeClientStore(db, await dataKeyOf(db, options));
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/**
 * Only its owner may read it, from the first moment on; the log beside it inherits that. A file that is there
 * is not opened here: closing it would take away the locks that this process has on it (POSIX, fcntl).
 */
function makeFile(folder: string): string {
  makeFolder(folder);
  const path = join(folder, FILE_NAME);
  if (!existsSync(path)) {
    closeSync(openSync(path, "a", 0o600));
    const directory = openSync(folder, "r");
    fsyncSync(directory);
    closeSync(directory);
  }
  chmodSync(path, 0o600);
  return path;
}

/** The lock is the operating system's, on the file itself: it ends with the process, however that ends. */
function openLocked(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("PRAGMA secure_delete = ON");
    db.exec("BEGIN IMMEDIATE; COMMIT"); // Takes the lock, which this mode keeps.
  } catch (cause) {
    db.close();
    throw explain(cause);
  }
  return db;
}

async function dataKeyOf(db: DatabaseSync, key: StoreKey): Promise<Uint8Array> {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version > SCHEMA_VERSION)
    throw new StoreDamagedError("the store was made by a newer version of Parley");
  if (version === 0) return await initialise(db, key);
  const row = db.prepare("SELECT value FROM meta WHERE name = 'data-key'").get();
  if (row === undefined) throw new StoreDamagedError("the store has lost its key");
  return await unwrapDataKey(key, JSON.parse(row["value"] as string) as WrappedKey);
}

/** In one transaction: a store that was cut off before is made anew, one that exists has its key. */
async function initialise(db: DatabaseSync, key: StoreKey): Promise<Uint8Array> {
  const { dataKey, wrapped } = await makeDataKey(key);
  db.exec("BEGIN IMMEDIATE");
  db.exec(SCHEMA);
  db.prepare("INSERT INTO meta (name, value) VALUES ('data-key', ?)").run(JSON.stringify(wrapped));
  db.exec("COMMIT");
  return dataKey;
}

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function explain(cause: unknown): unknown {
  const code = ((cause as { errcode?: number }).errcode ?? 0) & 0xff;
  if (code === SQLITE_BUSY)
    return new StoreInUseError("this device's store is open in another process", { cause });
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB)
    return new StoreDamagedError("the file is not a store", { cause });
  return cause;
}
