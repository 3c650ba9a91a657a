import { chmodSync, closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "./make-folder.ts";
import { PageSums } from "./page-sums.ts";
import { APPLICATION_ID, SCHEMA_STEPS } from "./schema.ts";
import { isBusy } from "./store-errors.ts";

const FILE_NAME = "parley.db";

/** The data folder cannot be used; the message is for the person who starts the server. */
export class DataFolderError extends Error {
  override readonly name: string = "DataFolderError";
}

/** Another server has it: the only case that passes by itself. */
export class DataFolderInUseError extends DataFolderError {
  override readonly name = "DataFolderInUseError";
}

export interface OpenedStore {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly sums: PageSums;
}

/** SQLite moves its log into the file as it closes; the sums of what moves are written before. */
export function closeStore({ db, path, sums }: OpenedStore): void {
  if (!db.isOpen) return;
  sums.noteOrForget(path);
  db.close();
}

/**
 * Opens the one file that holds everything, and makes it where there is none. The file stays locked until
 * the process ends, however it ends, so that no second server uses the folder.
 */
export function openStore(dataFolder: string): OpenedStore {
  const folder = resolve(dataFolder);
  const path = join(folder, FILE_NAME);
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new DataFolderError(`${folder} cannot be made: ${(cause as Error).message}`, { cause });
  }
  const { sums, damage } = PageSums.inspect(path);
  const store = { db: openFile(path), path, sums };
  try {
    // Only now is it sure that no other server was writing while this one read.
    requireSound(path, damage);
    sums.write();
    upgrade(store.db, path);
    // A file that was just made is there after a power cut only if its folder, and that folder's own, say so.
    for (const each of [folder, dirname(folder)]) syncFolder(each);
  } catch (cause) {
    closeStore(store);
    if (cause instanceof DataFolderError) throw cause;
    throw new DataFolderError(`${path}: ${(cause as Error).message}`, { cause });
  }
  return store;
}

const DAMAGE_LINES_MAX = 5;

function requireSound(path: string, damage: readonly string[]): void {
  if (damage.length === 0) return;
  const lines = damage.slice(0, DAMAGE_LINES_MAX);
  if (damage.length > lines.length) lines.push(`and ${damage.length - lines.length} more`);
  throw new DataFolderError(
    `the store is damaged, or another program has changed it:\n  ${lines.join("\n  ")}\n` +
      "Check the disk, and put back a copy of the whole folder: what it lacks, devices bring back when they " +
      `connect. Nothing was started on ${path}.`,
  );
}

function openFile(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    chmodSync(path, 0o600);
    // EXCLUSIVE is the lock against a second server, and needs no shared-memory file, whose growth could
    // fail in ways that look like a broken disk. Checkpoints are ours, because SQLite keeps silent about an
    // fsync that fails in an automatic one (group-commit.ts).
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000`);
    db.exec("BEGIN IMMEDIATE; COMMIT");
    expectPragma(db, "journal_mode", "wal");
    expectPragma(db, "synchronous", 2);
    return db;
  } catch (cause) {
    db?.close();
    if (isBusy(cause))
      throw new DataFolderInUseError(`${dirname(path)} is in use by another server`, { cause });
    throw new DataFolderError(`${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

function upgrade(db: DatabaseSync, path: string): void {
  const version = pragma(db, "user_version") as number;
  const application = pragma(db, "application_id") as number;
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0))
    throw new DataFolderError(`${path} is not Parley's`);
  if (version > SCHEMA_STEPS.length) requireReadable(db, path, version);
  for (const [from, { sql, fill, readableFrom }] of SCHEMA_STEPS.entries()) {
    if (from < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${sql}`);
    fill?.(db);
    db.prepare(SET_READABLE_FROM).run(readableFrom);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${from + 1}; COMMIT`);
  }
}

const SET_READABLE_FROM = `INSERT INTO store (key, value) VALUES ('readable-from', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

/** A newer program has been here. Where it only added to the store, this one can go on with it. */
function requireReadable(db: DatabaseSync, path: string, version: number): void {
  const found = db.prepare("SELECT value FROM store WHERE key = 'readable-from'").get();
  const readableFrom = (found?.["value"] as number | undefined) ?? version;
  if (readableFrom <= SCHEMA_STEPS.length) return;
  throw new DataFolderError(
    `${path} was made by a newer Parley: its store has version ${version}, and this Parley reads up to ` +
      `${SCHEMA_STEPS.length}. Start the newer one again, or put back a copy of the folder from before the upgrade.`,
  );
}

function expectPragma(db: DatabaseSync, name: string, expected: unknown): void {
  const found = pragma(db, name);
  if (found !== expected) throw new Error(`${name} is ${String(found)}, not ${String(expected)}`);
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
