import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { DataFolderError, openStore } from "../../../src/adapters/embedded/open-store.ts";
import { testFolder } from "../../fixtures/embedded.ts";

function opened(folder: string) {
  const store = openStore(folder);
  onTestFinished(() => {
    if (store.db.isOpen) store.db.close();
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
  first.db.close();
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
  first.db.exec("PRAGMA user_version = 99");
  first.db.close();
  expect(() => openStore(folder)).toThrow(/newer Parley/);
});

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
