import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  closeStore,
  DataFolderError,
  type OpenedStore,
  openStore,
} from "../../../src/adapters/embedded/open-store.ts";
import { parseWal } from "../../../src/adapters/embedded/wal-file.ts";
import { testFolder } from "../../fixtures/embedded.ts";
import { seededBytes } from "../../fixtures/seeded-bytes.ts";

const FILE = "parley.db";

/** A store with a few hundred pages, moved into its file, and `later` transactions in its log. */
function filled(later: number): { folder: string; store: OpenedStore } {
  const folder = testFolder();
  const store = openStore(folder);
  const { db, path, sums } = store;
  db.exec("CREATE TABLE t (number INTEGER PRIMARY KEY, bytes BLOB)");
  const insert = db.prepare("INSERT INTO t (bytes) VALUES (?)");
  db.exec("BEGIN");
  for (let i = 0; i < 150; i++) insert.run(seededBytes(i, 3_000));
  db.exec("COMMIT");
  sums.note(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  for (let i = 0; i < later; i++) insert.run(seededBytes(1_000 + i, 3_000));
  return { folder, store };
}

/** As the disk has it if the machine dies now. */
function snapshot(folder: string): string {
  const copy = testFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

const rows = (store: OpenedStore) => store.db.prepare("SELECT count(*) AS n FROM t").get()?.["n"];

test("a store is sound after a kill at any moment, moved or not", () => {
  const { folder, store } = filled(5);
  const before = snapshot(folder);
  store.sums.note(store.path);
  const betweenSumsAndMove = snapshot(folder);
  store.db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  const betweenMoveAndCut = snapshot(folder);
  store.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const after = snapshot(folder);
  closeStore(store);
  for (const copy of [before, betweenSumsAndMove, betweenMoveAndCut, after, folder]) {
    const opened = openStore(copy);
    expect(rows(opened)).toBe(155);
    closeStore(opened);
    // And what the first start did leaves it sound for the next.
    closeStore(openStore(copy));
  }
});

describe("one wrong bit", () => {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("anywhere in the file is found at the start, and named by its page", () => {
    const { folder, store } = filled(0);
    closeStore(store);
    fc.assert(
      fc.property(place, (where) => {
        const copy = snapshot(folder);
        const path = join(copy, FILE);
        const bit = Math.floor(where * statSync(path).size * 8);
        flip(path, bit);
        const page = Math.floor(bit / 8 / 4096) + 1;
        // In the first page SQLite itself may refuse the file.
        const said = page === 1 ? /page 1,|parley\.db cannot be opened/ : RegExp(`page ${page},`);
        expect(() => openStore(copy)).toThrow(said);
        expect(() => openStore(copy)).toThrow(DataFolderError);
        rmSync(copy, { recursive: true });
      }),
      { numRuns: 40 },
    );
  });

  test("in the sums is found", () => {
    const { folder, store } = filled(0);
    closeStore(store);
    fc.assert(
      fc.property(place, (where) => {
        const copy = snapshot(folder);
        const path = join(copy, `${FILE}-sums`);
        flip(path, Math.floor(where * statSync(path).size * 8));
        expect(() => openStore(copy)).toThrow(/parley\.db-sums is not what was written/);
        rmSync(copy, { recursive: true });
      }),
      { numRuns: 20 },
    );
  });

  test("in the log of a killed server is found, and nothing behind it is passed over", () => {
    const { folder, store } = filled(8);
    const killed = snapshot(folder);
    closeStore(store);
    fc.assert(
      fc.property(place, (where) => {
        const copy = snapshot(killed);
        const path = join(copy, `${FILE}-wal`);
        flip(path, Math.floor(where * statSync(path).size * 8));
        expect(() => openStore(copy)).toThrow(/parley\.db-wal is not what was written/);
        rmSync(copy, { recursive: true });
      }),
      { numRuns: 40 },
    );
  });
});

test("a file that is cut is found, with the first page that is missing", () => {
  const { folder, store } = filled(0);
  closeStore(store);
  const path = join(folder, FILE);
  truncateSync(path, statSync(path).size - 5_000);
  expect(() => openStore(folder)).toThrow(/page \d+, bytes|cannot be opened/);
});

test("two pages that changed places are found", () => {
  const { folder, store } = filled(0);
  closeStore(store);
  const path = join(folder, FILE);
  const bytes = readFileSync(path);
  const piece = (page: number) => Buffer.from(bytes.subarray((page - 1) * 4096, page * 4096));
  const [one, other] = [piece(40), piece(70)];
  bytes.set(other, 39 * 4096);
  bytes.set(one, 69 * 4096);
  writeFileSync(path, bytes);
  expect(() => openStore(folder)).toThrow(/page 40,[\s\S]*page 70,/);
});

test("a transaction that a crash cut off is no damage", () => {
  const { folder, store } = filled(8);
  const killed = snapshot(folder);
  closeStore(store);
  const wal = join(killed, `${FILE}-wal`);
  const whole = statSync(wal).size;
  for (const size of [whole - 1, whole - 2_000, whole - 4_120 - 100]) {
    const copy = snapshot(killed);
    truncateSync(join(copy, `${FILE}-wal`), size);
    const opened = openStore(copy);
    expect(rows(opened)).toBeGreaterThanOrEqual(156);
    closeStore(opened);
  }
});

test("sums that are missing are made anew", () => {
  const { folder, store } = filled(3);
  closeStore(store);
  rmSync(join(folder, `${FILE}-sums`));
  const opened = openStore(folder);
  expect(rows(opened)).toBe(153);
  closeStore(opened);
  closeStore(openStore(folder));
});

test("reads a log as SQLite does", () => {
  const { folder, store } = filled(4);
  const { pages, pageCount, damagedAt } = parseWal(readFileSync(join(folder, `${FILE}-wal`)));
  expect(damagedAt).toBeUndefined();
  expect(pageCount).toBe(Object.values(store.db.prepare("PRAGMA page_count").get() ?? {})[0]);
  expect(pages.size).toBeGreaterThan(3);
  closeStore(store);
});
