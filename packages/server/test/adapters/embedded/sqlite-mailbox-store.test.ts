import { ENVELOPE_LIFETIME_MS } from "@parley/protocol";
import { expect, test } from "vitest";
import { SqliteMailboxStore } from "../../../src/adapters/embedded/sqlite-mailbox-store.ts";
import { settled } from "../../fixtures/manual-clock.ts";
import { delivery, deviceOf, textIn } from "../../fixtures/rows.ts";
import { logTo, testStore } from "../../fixtures/store.ts";

const sender = deviceOf("sender");
const phone = deviceOf("alice");
const DAY_MS = 24 * 60 * 60 * 1000;
const LIMITS = {
  envelopesMax: 100,
  bytesMax: 10_000_000,
  envelopesPerSourceMax: 3,
  awayMsMax: 90 * DAY_MS,
};

async function openMailboxes() {
  const opened = testStore();
  const lines: string[] = [];
  const parts = { clock: opened.clock, log: logTo(lines), limits: LIMITS };
  const store = new SqliteMailboxStore(opened.store.db, opened.commit, parts);
  await opened.commit.join(() => {
    for (const each of [sender, phone]) store.begin(each.accountId, each.deviceId);
  });
  const append = (name: string, text = name) =>
    store.append({ sender, stateNumber: 0n, deliveries: [delivery(phone, name, text)] });
  const waiting = async () => (await store.open(phone).next(100)).map(textIn);
  return { ...opened, lines, store, append, waiting, db: opened.store.db };
}

test("never serves a damaged row: it says so, marks the mailbox, and goes on with the next", async () => {
  const { append, waiting, db, lines, store, clock } = await openMailboxes();
  for (const name of ["a", "b", "c"]) await append(name);
  db.exec(`UPDATE envelopes SET bytes = cast(replace(cast(bytes AS TEXT), 'b', 'B') AS BLOB)
    WHERE position = 2`);
  expect(await waiting()).toEqual(["a", "c"]);
  expect(lines.join()).toMatch(/damaged/);
  await clock.pass(60_000);
  expect((await store.state(phone)).skipped).toBe(true);
  expect(db.prepare("SELECT count(*) AS n FROM envelopes").get()?.["n"]).toBe(2);
});

test("takes a row that turns up in another mailbox for damaged", async () => {
  const { append, waiting, db } = await openMailboxes();
  await append("a");
  db.exec("UPDATE envelopes SET mailbox = 1");
  db.exec(
    "UPDATE mailboxes SET number = number + 10; UPDATE mailboxes SET number = 1 WHERE number = 12",
  );
  expect(await waiting()).toEqual([]);
});

test("drops what is older than 90 days, and counts it no more", async () => {
  const { append, waiting, store, clock } = await openMailboxes();
  store.startSweeping();
  await append("a");
  await clock.pass(ENVELOPE_LIFETIME_MS / 2);
  store.seen(phone, 0n);
  await append("b");
  await append("c");
  await clock.pass(ENVELOPE_LIFETIME_MS / 2 + 2 * 60 * 60 * 1000);
  expect(await waiting()).toEqual(["b", "c"]);
  store.seen(phone, 0n);
  expect(await append("d")).toMatchObject({ kind: "appended", skipped: [] });
});

test("skips a device that was not seen for 90 days, until it is seen again", async () => {
  const { append, store, clock } = await openMailboxes();
  await clock.pass(91 * DAY_MS);
  await expect(append("a")).rejects.toThrow(/full/);
  store.seen(phone, 0n);
  expect(await append("a")).toMatchObject({ kind: "appended", skipped: [] });
});

test("counts again from the store after a commit that failed", async () => {
  const { append, commit, db } = await openMailboxes();
  await append("a");
  const pages = Object.values(db.prepare("PRAGMA page_count").get() ?? {})[0] as number;
  db.exec(`PRAGMA max_page_count = ${pages}`);
  // Of one commit: the first is counted before the second finds the disk full.
  const lost = await Promise.allSettled([append("lost"), append("large", "x".repeat(50_000))]);
  expect(lost.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  db.exec("PRAGMA max_page_count = 1000000");
  expect(await append("c")).toMatchObject({ skipped: [] });
  await append("d");
  await expect(append("e")).rejects.toThrow(/full/);
  expect(commit.mark).toBeGreaterThan(0n);
});

test("ends a page early where envelopes are large", async () => {
  const { append, store } = await openMailboxes();
  for (const name of ["a", "b", "c"]) await append(name, name.repeat(600_000));
  await settled();
  const reader = store.open(phone);
  expect((await reader.next(64)).length).toBe(2);
  expect((await reader.next(64)).length).toBe(1);
});
