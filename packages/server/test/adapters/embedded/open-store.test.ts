import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { ColdMail } from "../../../src/adapters/embedded/mail/cold-mail.ts";
import { readRetired } from "../../../src/adapters/embedded/mail/retirement.ts";
import {
  closeStore,
  DataFolderError,
  openStore,
} from "../../../src/adapters/embedded/open-store.ts";
import { APPLICATION_ID, SCHEMA_STEPS } from "../../../src/adapters/embedded/schema.ts";
import { testFolder } from "../../fixtures/embedded.ts";

function opened(folder: string) {
  const store = openStore(folder);
  onTestFinished(() => {
    closeStore(store);
  });
  return store;
}

test("makes a folder and a file that nobody else may read", () => {
  const folder = join(testFolder(), "deep", "data");
  opened(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder))
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
});

test("refuses a folder that another server uses, and takes it once that one is gone", () => {
  const folder = testFolder();
  const first = opened(folder);
  expect(() => openStore(folder)).toThrow(/in use by another server/);
  closeStore(first);
  opened(folder);
});

test("waits for the disk at every commit", () => {
  const { db } = opened(testFolder());
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  expect(pragma("synchronous")).toBe(2);
  expect(pragma("journal_mode")).toBe("wal");
  expect(pragma("wal_autocheckpoint")).toBe(0);
});

test("refuses a store of a newer Parley, and leaves it as it is", () => {
  const folder = testFolder();
  const first = opened(folder);
  first.db.exec(
    "PRAGMA user_version = 99; UPDATE store SET value = 98 WHERE key = 'readable-from'",
  );
  closeStore(first);
  const before = readFileSync(join(folder, "parley.db"));
  expect(() => openStore(folder)).toThrow(/newer Parley.*version 99.*Start the newer one again/);
  expect(readFileSync(join(folder, "parley.db"))).toEqual(before);
});

test("goes back from a newer Parley that has only added to the store", () => {
  const folder = testFolder();
  const first = opened(folder);
  first.db.exec("CREATE TABLE later (x INTEGER); PRAGMA user_version = 99");
  closeStore(first);
  const { db } = opened(folder);
  expect(Object.values(db.prepare("PRAGMA user_version").get() ?? {})).toEqual([99]);
});

test("moves what a store of version 1 holds, and goes on from its positions", () => {
  const folder = testFolder();
  makeVersion1(folder);
  const { db } = opened(folder);
  const cold = new ColdMail(db);
  const { envelopes, damaged } = cold.read(7, 0, { limit: 10, bytesMax: 1_000_000 });
  expect(damaged).toEqual([]);
  expect(envelopes.map((each) => [each.row.position, Buffer.from(each.bytes).toString()])).toEqual([
    [3, "third"],
    [5, "fifth"],
  ]);
  expect(cold.bytesWithId(7, "05".repeat(16))).toEqual(new Uint8Array(Buffer.from("fifth")));
  expect(readRetired(db)).toEqual({ sequence: 0, position: 9, mark: 42n });
});

/** As the first release left it: its own tables, and two envelopes of nine that were accepted. */
function makeVersion1(folder: string): void {
  const db = new DatabaseSync(join(folder, "parley.db"));
  db.exec(`PRAGMA journal_mode = WAL; ${SCHEMA_STEPS[0]?.sql}
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;
    INSERT INTO store (key, value) VALUES ('mark', 42);
    INSERT INTO mailboxes (number, account, device, seen_at_ms) VALUES (7, '${"ab".repeat(16)}', 1, 0)`);
  const insert = db.prepare(`INSERT INTO envelopes
    (position, mailbox, id, source, accepted_at_ms, checksum, bytes) VALUES (?, 7, ?, ?, 1, 0, ?)`);
  for (const [position, text] of [
    [3, "third"],
    [5, "fifth"],
    [9, "gone"],
  ] as const)
    insert.run(position, `0${position}`.repeat(16), "cd".repeat(16), Buffer.from(text));
  db.exec("DELETE FROM envelopes WHERE position = 9");
  db.close();
}

test("refuses a file that is not a store of Parley's", () => {
  const folder = testFolder();
  const other = new DatabaseSync(join(folder, "parley.db"));
  other.exec("CREATE TABLE t (x); PRAGMA user_version = 1");
  other.close();
  expect(() => openStore(folder)).toThrow(DataFolderError);

  const text = testFolder();
  writeFileSync(
    join(text, "parley.db"),
    "not a database at all, but long enough to be read as one",
  );
  expect(() => openStore(text)).toThrow(DataFolderError);
});

test("says which folder cannot be made", () => {
  const folder = testFolder();
  mkdirSync(join(folder, "here"));
  writeFileSync(join(folder, "here", "file"), "");
  expect(() => openStore(join(folder, "here", "file", "data"))).toThrow(/cannot be made/);
});
