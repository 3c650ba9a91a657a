import { statSync } from "node:fs";
import { ErrorCode } from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RIDE_MS_MAX } from "../../../src/adapters/embedded/group-commit.ts";
import { settled } from "../../fixtures/manual-clock.ts";
import { testStore } from "../../fixtures/store.ts";

function openTable() {
  const opened = testStore();
  opened.store.db.exec("CREATE TABLE t (value INTEGER) STRICT");
  const insert = opened.store.db.prepare("INSERT INTO t VALUES (?)");
  const values = () =>
    opened.store.db
      .prepare("SELECT value FROM t ORDER BY rowid")
      .all()
      .map((row) => row["value"]);
  return { ...opened, add: (value: number) => insert.run(value), values };
}

test("commits together what arrives together", async () => {
  const { commit, store, add, values } = openTable();
  let commits = 0;
  const exec = store.db.exec.bind(store.db);
  store.db.exec = (sql) => {
    if (sql === "COMMIT") commits++;
    exec(sql);
  };
  await Promise.all([commit.join(() => add(1)), commit.join(() => add(2))]);
  expect(commits).toBe(1);
  await commit.join(() => add(3));
  expect(commits).toBe(2);
  expect(values()).toEqual([1, 2, 3]);
});

test("resolves nothing before its commit", async () => {
  const { commit, store, add } = openTable();
  const wasOpen = commit.join(() => {
    add(1);
    return store.db.isTransaction;
  });
  const after = wasOpen.then(() => store.db.isTransaction);
  expect(await wasOpen).toBe(true);
  expect(await after).toBe(false);
});

test("undoes work that throws, and nothing else of its commit", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 12 }), async (fails) => {
      const { commit, add, values } = openTable();
      const outcomes = await Promise.allSettled(
        fails.map((fail, i) =>
          commit.join(() => {
            add(i);
            if (fail) throw new Error("refused");
          }),
        ),
      );
      expect(outcomes.map(({ status }) => status === "rejected")).toEqual(fails);
      expect(values()).toEqual(fails.flatMap((fail, i) => (fail ? [] : [i])));
    }),
    { numRuns: 20 },
  ));

test("lets work ride in the next commit", async () => {
  const { commit, add, values } = openTable();
  const ridden = commit.ride(() => add(1));
  await settled();
  expect(values()).toEqual([]);
  await commit.join(() => add(2));
  await ridden;
  expect(values()).toEqual([1, 2]);
});

test("commits what rides by itself when nothing came for it to ride in", async () => {
  const { commit, clock, add, values } = openTable();
  const ridden = commit.ride(() => add(1));
  await clock.pass(RIDE_MS_MAX - 1);
  expect(values()).toEqual([]);
  await clock.pass(1);
  await ridden;
  expect(values()).toEqual([1]);
});

test("says that the disk is full, keeps what rides, and goes on once there is room", async () => {
  const { commit, store, clock, add, values } = openTable();
  const pages = Object.values(store.db.prepare("PRAGMA page_count").get() ?? {})[0] as number;
  store.db.exec(`PRAGMA max_page_count = ${pages}`);
  const ridden = commit.ride(() => add(1));
  const fill = commit.join(() => {
    for (let i = 0; i < 5_000; i++) add(i);
  });
  await expect(fill).rejects.toMatchObject({
    code: ErrorCode.STORAGE_UNAVAILABLE,
    retryAfterMs: expect.any(Number),
  });
  expect(values()).toEqual([]);
  store.db.exec("PRAGMA max_page_count = 1000000");
  await clock.pass(RIDE_MS_MAX);
  await ridden;
  expect(values()).toEqual([1]);
});

test("moves its log into the file before it grows large", async () => {
  const { commit, store, add } = openTable();
  const sizes: number[] = [];
  for (let i = 0; i < 12; i++) {
    await commit.join(() => {
      for (let j = 0; j < 60_000; j++) add(j);
    });
    sizes.push(statSync(`${store.path}-wal`).size);
  }
  expect(Math.min(...sizes.slice(4))).toBe(0);
  expect(Math.max(...sizes)).toBeLessThan(6 * 1024 * 1024);
});
