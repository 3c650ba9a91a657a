import { setImmediate as turn } from "node:timers/promises";
import { ENVELOPE_LIFETIME_MS } from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogDisk, LogFile } from "../../../../src/adapters/embedded/mail/log-disk.ts";
import { systemLogDisk } from "../../../../src/adapters/embedded/mail/system-log-disk.ts";
import type { StoredEnvelope } from "../../../../src/ports/mailbox-store.ts";
import { testFolder } from "../../../fixtures/embedded.ts";
import { type TestMail, type TestMailOptions, testMail } from "../../../fixtures/mail.ts";
import { settled } from "../../../fixtures/manual-clock.ts";
import { delivery, deviceOf, textIn } from "../../../fixtures/rows.ts";

const sender = deviceOf("sender");
const phone = deviceOf("alice");
const DAY_MS = 24 * 60 * 60 * 1000;

const LIMITS = {
  envelopesMax: 100,
  bytesMax: 10_000_000,
  envelopesPerSourceMax: 3,
  awayMsMax: 90 * DAY_MS,
};

async function openMailboxes(options: TestMailOptions = {}) {
  const opened = testMail(options);
  const { mailboxes } = opened.mail;
  if (options.folder === undefined)
    await opened.commit.join(() => {
      for (const each of [sender, phone]) mailboxes.begin(each.accountId, each.deviceId);
    });
  const append = (name: string, text = name) => {
    const stamp = { acceptedAtMs: opened.clock.now() };
    const deliveries = [delivery(phone, name, text, stamp)];
    return mailboxes.append({ sender, stateNumber: 0n, deliveries });
  };
  const read = () => mailboxes.open(phone).next(100_000);
  const waiting = async () => (await read()).map(textIn);
  const ack = (rows: readonly StoredEnvelope[]) =>
    mailboxes.remove(
      phone,
      rows.map(({ row }) => row),
    );
  return { ...opened, store: mailboxes, append, read, waiting, ack, db: opened.store.db };
}

/** What the next process finds. */
async function killAndOpen({ folder, kill, clock }: Pick<TestMail, "folder" | "kill" | "clock">) {
  kill();
  return await openMailboxes({ folder, clock });
}

test("has everything that was accepted after a kill, whether it moved or not", async () => {
  const first = await openMailboxes();
  for (const name of ["a", "b"]) await first.append(name);
  await first.mail.retire();
  for (const name of ["c", "d"]) await first.append(name);
  const second = await killAndOpen(first);
  expect(await second.waiting()).toEqual(["a", "b", "c", "d"]);
  expect(second.mail.recovered).toBe(4n);
});

test("keeps order, marks and what was acknowledged over any mix of kills and moves", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("append", "append", "append", "ack", "retire", "kill", "wait"), {
        maxLength: 40,
      }),
      async (steps) => {
        let opened = await openMailboxes();
        let expected: string[] = [];
        let marked = 0n;
        for (const [i, step] of steps.entries()) {
          if (step === "append") {
            const outcome = await opened.append(`m${i}`);
            if (outcome.kind !== "appended") throw new Error(outcome.kind);
            expect(outcome.mark).toBeGreaterThan(marked);
            marked = outcome.mark;
            expected.push(`m${i}`);
          } else if (step === "ack") {
            const rows = (await opened.read()).slice(0, 2);
            await opened.ack(rows);
            // Durable with the next commit.
            await opened.append(`ack${i}`);
            expected = [...expected.slice(rows.length), `ack${i}`];
          } else if (step === "retire") await opened.mail.retire();
          else if (step === "wait") await opened.clock.pass(40_000);
          else opened = await killAndOpen(opened);
          // Removals of moved rows ride for up to 30 s; a kill may bring those back, at the front.
          const found = await opened.waiting();
          expect(found.slice(-expected.length || found.length)).toEqual(expected);
        }
      },
    ),
    { numRuns: 40 },
  ));

test("gives rows from log and store in one order, to a reader that goes on", async () => {
  const { append, store, mail } = await openMailboxes();
  for (const name of ["a", "b", "c"]) await append(name);
  const reader = store.open(phone);
  expect((await reader.next(1)).map(textIn)).toEqual(["a"]);
  await mail.retire();
  await append("d");
  expect((await reader.next(2)).map(textIn)).toEqual(["b", "c"]);
  expect((await reader.next(2)).map(textIn)).toEqual(["d"]);
});

test("drops a row that was read from the log and acknowledged once it had moved", async () => {
  const { append, read, ack, waiting, mail, clock } = await openMailboxes();
  await append("a");
  await append("b");
  const rows = await read();
  await mail.retire();
  await ack(rows.slice(0, 1));
  expect(await waiting()).toEqual(["b"]);
  await clock.pass(60_000);
  expect(await waiting()).toEqual(["b"]);
});

test("counts a row once that two readers acknowledge", async () => {
  const { append, store, read, ack, waiting, mail } = await openMailboxes();
  for (const name of ["a", "b"]) await append(name);
  await mail.retire();
  const [first, second] = [await read(), await store.open(phone).next(100)];
  await ack(first.slice(0, 1));
  await ack(second.slice(0, 1));
  expect(await waiting()).toEqual(["b"]);
});

test("leaves nothing of an acknowledged envelope on the disk after a minute", async () => {
  const { append, read, ack, clock, folder } = await openMailboxes();
  await append("a", "the secret that was acknowledged");
  const { readFileSync, readdirSync } = await import("node:fs");
  const isThere = () =>
    readdirSync(folder).some((name) =>
      readFileSync(`${folder}/${name}`).includes("the secret that was acknowledged"),
    );
  expect(isThere()).toBe(true);
  await ack(await read());
  await clock.pass(60_000);
  await untilQuiet(isThere);
  expect(isThere()).toBe(false);
});

/** Files are emptied by a thread: a few turns until it has done so. */
async function untilQuiet(isThere: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && isThere(); turn++) await settled();
}

test("never serves a damaged row: it says so, marks the mailbox, and goes on with the next", async () => {
  const { append, waiting, db, lines, store, mail, clock } = await openMailboxes();
  for (const name of ["a", "b", "c"]) await append(name);
  await mail.retire();
  db.exec(`UPDATE mail SET bytes = cast(replace(cast(bytes AS TEXT), 'b', 'B') AS BLOB)
    WHERE position = 2`);
  expect(await waiting()).toEqual(["a", "c"]);
  expect(lines.join()).toMatch(/damaged/);
  await clock.pass(60_000);
  expect((await store.state(phone)).skipped).toBe(true);
  expect(db.prepare("SELECT count(*) AS n FROM mail").get()?.["n"]).toBe(2);
});

test("takes a row that turns up in another mailbox for damaged", async () => {
  const { append, waiting, db, mail } = await openMailboxes();
  await append("a");
  await mail.retire();
  db.exec("UPDATE mail SET mailbox = 12");
  db.exec("UPDATE mailboxes SET number = 12 WHERE number = 2");
  const second = await openedAgain();
  expect(await second).toEqual([]);

  async function openedAgain() {
    await mail.retire();
    return await waiting();
  }
});

test("drops what is older than 90 days, and counts it no more", async () => {
  const { append, waiting, store, clock } = await openMailboxes({ limits: LIMITS });
  await append("a");
  await clock.pass(ENVELOPE_LIFETIME_MS / 2);
  store.seen(phone, 0n);
  await append("b");
  await append("c");
  await clock.pass(ENVELOPE_LIFETIME_MS / 2 + 2 * 60 * 60 * 1000);
  expect(await waiting()).toEqual(["b", "c"]);
  store.seen(phone, 0n);
  expect(await append("d")).toMatchObject({ kind: "appended", skipped: [] });
}, 120_000);

test("skips a device that was not seen for 90 days, until it is seen again", async () => {
  const { append, store, clock } = await openMailboxes();
  clock.jump(91 * DAY_MS);
  await expect(append("a")).rejects.toThrow(/full/);
  store.seen(phone, 0n);
  expect(await append("a")).toMatchObject({ kind: "appended", skipped: [] });
});

test("ends a page early where envelopes are large", async () => {
  const { append, store } = await openMailboxes();
  for (const name of ["a", "b", "c"]) await append(name, name.repeat(80_000));
  const reader = store.open(phone);
  expect((await reader.next(64)).length).toBe(2);
  expect((await reader.next(64)).length).toBe(1);
});

test("goes through far more than its files hold", async () => {
  const { append, ack, read, folder } = await openMailboxes();
  const text = "x".repeat(100_000);
  for (let i = 0; i < 200; i++) {
    await append(`m${i}`, `${i} ${text}`);
    if (i % 10 === 9) await ack(await read());
  }
  const { readdirSync } = await import("node:fs");
  const files = readdirSync(folder).filter((name) => name.startsWith("mail-"));
  expect(files.length).toBeLessThanOrEqual(4);
});

test("keeps everything for somebody who is away while its files fill again and again", async () => {
  const { append, store } = await openMailboxes();
  const text = "x".repeat(100_000);
  for (let i = 0; i < 120; i++) await append(`m${i}`, `${i} ${text}`);
  const reader = store.open(phone);
  const found: number[] = [];
  for (;;) {
    const page = await reader.next(64);
    if (page.length === 0) break;
    found.push(...page.map((each) => Number.parseInt(textIn(each), 10)));
  }
  expect(found).toEqual(Array.from({ length: 120 }, (_, i) => i));
});

/** A disk whose next writes do what the test says. */
function faultyDisk(fails: (bytes: Uint8Array) => Error | undefined): LogDisk {
  const disk = systemLogDisk("main");
  return {
    create: (path, sizeBytes) => disk.create(path, sizeBytes),
    open: (path) => {
      const file = disk.open(path);
      return new Proxy(file, {
        get: (target, name) => {
          if (name !== "write") return Reflect.get(target, name).bind(target);
          return (...values: Parameters<LogFile["write"]>) => {
            const failure = fails(values[0]);
            if (failure !== undefined) throw failure;
            return target.write(...values);
          };
        },
      });
    },
  };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

test("refuses while the disk is full, stores nothing of it, and goes on once there is room", async () => {
  let isFull = false;
  const disk = faultyDisk(() => (isFull ? failure("ENOSPC") : undefined));
  const opened = await openMailboxes({ disk });
  await opened.append("a");
  isFull = true;
  await expect(opened.append("b")).rejects.toMatchObject({ retryAfterMs: expect.any(Number) });
  expect(await opened.waiting()).toEqual(["a"]);
  isFull = false;
  await opened.append("c");
  expect(await opened.waiting()).toEqual(["a", "c"]);
  expect(await (await killAndOpen(opened)).waiting()).toEqual(["a", "c"]);
});

test("a stop on a full disk ends, though what rides along cannot be written", async () => {
  let isFull = false;
  const full = failure("ENOSPC");
  const disk = faultyDisk(() => (isFull ? full : undefined));
  const create: LogDisk["create"] = async (path, sizeBytes) => {
    await turn();
    if (isFull) throw full;
    await disk.create(path, sizeBytes);
  };
  const { append, read, ack, mail } = await openMailboxes({ disk: { ...disk, create } });
  await append("a");
  isFull = true;
  await expect(append("b")).rejects.toMatchObject({ retryAfterMs: expect.any(Number) });
  void ack(await read());
  await mail.flush();
});

test("ends at a write that fails, and accepts nothing after it", async () => {
  let fails = false;
  const disk = faultyDisk(() => (fails ? failure("EIO") : undefined));
  const { append, fatal } = await openMailboxes({ disk });
  await append("a");
  fails = true;
  const outcomes: string[] = [];
  void append("b").then(
    () => outcomes.push("accepted"),
    () => outcomes.push("refused"),
  );
  await settled();
  fails = false;
  void append("c").then(
    () => outcomes.push("accepted"),
    () => outcomes.push("refused"),
  );
  await settled();
  expect(fatal).toHaveLength(1);
  expect(outcomes).toEqual([]);
});

test("says that mail is missing where the store is older than the log that was emptied into it", async () => {
  const first = await openMailboxes();
  await first.append("a");
  await first.mail.retire();
  const { cpSync, readdirSync } = await import("node:fs");
  const older = testFolder();
  cpSync(first.folder, older, { recursive: true });
  await first.append("b");
  await first.mail.retire();
  await first.append("c");
  first.kill();
  for (const name of readdirSync(first.folder).filter((each) => each.startsWith("mail-")))
    cpSync(`${first.folder}/${name}`, `${older}/${name}`);
  const second = await openMailboxes({ folder: older, clock: first.clock });
  expect(await second.waiting()).toEqual(["a", "c"]);
  expect(second.lines.join()).toMatch(/mail-log-damaged/);
  // What clients offer again begins behind what the store has.
  expect(second.mail.recovered).toBe(1n);
});
