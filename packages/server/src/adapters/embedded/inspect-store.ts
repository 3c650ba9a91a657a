import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { scanFile } from "./mail/log-block.ts";
import { readRetired } from "./mail/retirement.ts";
import { APPLICATION_ID, SCHEMA_STEPS } from "./schema.ts";
import { isBusy } from "./store-errors.ts";

const FILE_NAME = "parley.db";
const MAIL_LOG = /^mail-[0-9]\.log$/;

export type StoreSeen =
  | { readonly state: "none" }
  /** Locked: a server runs on it. */
  | { readonly state: "in use" }
  | { readonly state: "unreadable"; readonly says: string }
  | {
      readonly state: "readable";
      readonly version: number;
      /** The version that this program writes. */
      readonly ownVersion: number;
      readonly isOurs: boolean;
      /** What SQLite finds wrong; none where it is sound. */
      readonly damage: readonly string[];
      /** Of the mail log: the server starts, and clients offer again what may be lost. */
      readonly mailDamage: readonly { readonly file: string; readonly mayBeLost: boolean }[];
      readonly accounts: number;
      /** When the server last started; undefined where it never did. */
      readonly startedAtMs: number | undefined;
      readonly bytes: number;
    };

/** Looks at a store without changing it, and leaves nothing behind. A server that starts meanwhile finds it in use. */
export function inspectStore(folder: string): StoreSeen {
  const path = join(folder, FILE_NAME);
  if (!existsSync(path)) return { state: "none" };
  // A reader makes these where they are not there, as its own user, whom the server may not be.
  const beside = [`${path}-wal`, `${path}-shm`].filter((each) => !existsSync(each));
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    return look(db, folder);
  } catch (cause) {
    if (isBusy(cause)) return { state: "in use" };
    return { state: "unreadable", says: (cause as Error).message };
  } finally {
    const isOpen = db !== undefined;
    db?.close();
    if (isOpen) for (const each of beside) rmSync(each, { force: true });
  }
}

function look(db: DatabaseSync, folder: string): StoreSeen {
  const version = pragma(db, "user_version") as number;
  const isOurs = pragma(db, "application_id") === APPLICATION_ID;
  const damage = db
    .prepare("PRAGMA quick_check")
    .all()
    .map((row) => String(Object.values(row)[0]))
    .filter((says) => says !== "ok");
  const seen = { version, isOurs, damage, ownVersion: SCHEMA_STEPS.length };
  const bytes = sizeOf(folder);
  if (!isOurs || damage.length > 0)
    return {
      state: "readable",
      ...seen,
      ...{ bytes, mailDamage: [], accounts: 0, startedAtMs: undefined },
    };
  return {
    state: "readable",
    ...seen,
    bytes,
    mailDamage: mailDamageIn(folder, readRetired(db).sequence),
    accounts: number(db, "SELECT count(*) FROM accounts") ?? 0,
    startedAtMs: number(db, "SELECT max(opened_at_ms) FROM epochs"),
  };
}

/** Of the files that are not in the store already. */
function mailDamageIn(folder: string, retired: number): { file: string; mayBeLost: boolean }[] {
  return readdirSync(folder)
    .filter((name) => MAIL_LOG.test(name))
    .flatMap((file) => {
      const { sequence, damage } = scanFile(readFileSync(join(folder, file)));
      if (sequence !== undefined && sequence <= retired) return [];
      return damage.map(({ lostAfter }) => ({ file, mayBeLost: lostAfter !== undefined }));
    });
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function number(db: DatabaseSync, sql: string): number | undefined {
  const value = Object.values(db.prepare(sql).get() ?? {})[0];
  return typeof value === "number" ? value : undefined;
}

function sizeOf(folder: string): number {
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
