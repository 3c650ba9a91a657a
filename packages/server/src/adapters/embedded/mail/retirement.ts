import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ENVELOPE_LIFETIME_MS } from "@parley/protocol";
import { hexOf } from "../../../lib/bytes.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Log } from "../../../ports/log.ts";
import type { Mark } from "../../../ports/mark.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { ColdMail } from "./cold-mail.ts";
import type { LoggedMailboxStore } from "./logged-mailbox-store.ts";
import type { MailCommit } from "./mail-commit.ts";
import type { MailLog } from "./mail-log.ts";
import type { HotRow, Mailbox } from "./mailbox.ts";

/**
 * What is acknowledged is off the disk two such times later at the latest (quality.md 3, row 19: the log is
 * overwritten as it is retired), and what waits takes no more memory.
 */
const RETIRE_EVERY_MS = 30_000;
/** So that one commit of the store does not hold the event loop for long: about 4 ms. */
const ROWS_PER_COMMIT = 512;
const MAILBOXES_PER_COMMIT = 2_048;
/** What is too old is looked for this often. */
const SWEEP_EVERY_MS = 60 * 60 * 1000;
const SWEEP_ROWS_MAX = 512;

export interface RetirementParts {
  readonly db: DatabaseSync;
  readonly cold: ColdMail;
  readonly mailLog: MailLog;
  readonly commit: MailCommit;
  readonly storeCommit: GroupCommit;
  readonly mailboxes: LoggedMailboxStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the store says of the log. */
export interface Retired {
  /** Files up to this one hold nothing that is not in the store too. */
  readonly sequence: number;
  /** Positions up to this one were given. */
  readonly position: number;
  /** The commit that was the last when this was written. */
  readonly mark: Mark;
}

export function readRetired(db: DatabaseSync): Retired {
  const read = db.prepare("SELECT value FROM store WHERE key = ?");
  const number = (key: string) => (read.get(key)?.["value"] as number | undefined) ?? 0;
  return {
    sequence: number("mail-log"),
    position: number("mail-position"),
    mark: BigInt(number("mark")),
  };
}

/** Moves what waits out of the log into the store, so that the log stays short; and drops what is too old. */
export class Retirement {
  readonly #parts: RetirementParts;
  readonly #set: StatementSync;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(parts: RetirementParts) {
    this.#parts = parts;
    this.#set = parts.db.prepare(
      "INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)",
    );
  }

  start(): void {
    const { clock, mailLog } = this.#parts;
    const again = () => void clock.after(RETIRE_EVERY_MS, () => void this.retire().then(again));
    const sweep = () => void clock.after(SWEEP_EVERY_MS, () => void this.#sweep().then(sweep));
    mailLog.onFull = () => void this.#run(false);
    mailLog.clearFree().then(again, this.#failed);
    sweep();
    void this.#sweep();
  }

  /** Empties the log. Never rejects: what could not be moved stays where it is, and is tried again. */
  retire(): Promise<void> {
    return this.#run(true);
  }

  /** `whole`: with what lies in the file that is written now. */
  #run(whole: boolean): Promise<void> {
    if (this.#running !== undefined) this.#isAskedAgain ||= !whole;
    this.#running ??= this.#retire(whole)
      .catch((cause: unknown) => {
        this.#failed(cause);
        this.#parts.mailLog.refuse();
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#isAskedAgain) void this.#run(false);
        this.#isAskedAgain = false;
      });
    return this.#running;
  }

  async #retire(whole: boolean): Promise<void> {
    const { mailLog, commit, storeCommit, mailboxes } = this.#parts;
    if (mailLog.isEmpty) return mailboxes.dropIdle();
    if (whole) await commit.between(() => mailLog.rotate());
    const { sequence, mark } = mailLog.lastFull;
    for (const mailbox of mailboxes.mailboxes()) await this.#moveRows(mailbox, sequence);
    await this.#saveStates();
    await storeCommit.join(() => {
      this.#set.run("mail-log", sequence);
      this.#set.run("mail-position", mailboxes.position);
      this.#set.run("mark", mark);
    });
    await mailLog.retire(sequence);
    mailboxes.dropIdle();
  }

  async #moveRows(mailbox: Mailbox, sequence: number): Promise<void> {
    const { cold, storeCommit } = this.#parts;
    for (;;) {
      const rows: HotRow[] = [];
      for (const row of mailbox.rowsUpTo(sequence)) if (rows.push(row) >= ROWS_PER_COMMIT) break;
      if (rows.length === 0) return;
      await storeCommit.join(() => {
        // Its device may have been removed since: nothing is kept for it then.
        if (cold.exists(mailbox.number)) for (const row of rows) cold.insert(mailbox.number, row);
      });
      for (const row of rows) {
        if (row.place === "hot") mailbox.toCold(row);
        // Acknowledged meanwhile.
        else void storeCommit.ride(() => cold.remove(mailbox.number, row.position));
      }
    }
  }

  /** What the log says of mailboxes goes with it, so the store has it first. */
  async #saveStates(): Promise<void> {
    const { cold, storeCommit, mailboxes } = this.#parts;
    const unsaved = [...mailboxes.mailboxes()].filter(({ isUnsaved }) => isUnsaved);
    for (let from = 0; from < unsaved.length; from += MAILBOXES_PER_COMMIT) {
      const some = unsaved.slice(from, from + MAILBOXES_PER_COMMIT);
      const save = storeCommit.join(() => {
        for (const mailbox of some) {
          cold.save(mailbox);
          mailbox.isUnsaved = false;
        }
      });
      await save.catch((cause: unknown) => {
        for (const mailbox of some) mailbox.isUnsaved = true;
        throw cause;
      });
    }
  }

  async #sweep(): Promise<void> {
    const { cold, clock } = this.#parts;
    const before = clock.now() - ENVELOPE_LIFETIME_MS;
    try {
      let last = 0;
      for (;;) {
        const numbers = cold.numbersAfter(last, MAILBOXES_PER_COMMIT);
        if (numbers.length === 0) return;
        for (const number of numbers) await this.#sweepMailbox(number, before);
        last = numbers.at(-1) as number;
        await Promise.resolve();
      }
    } catch (cause) {
      this.#failed(cause);
    }
  }

  async #sweepMailbox(number: number, beforeMs: number): Promise<void> {
    const { cold, storeCommit, mailboxes } = this.#parts;
    for (;;) {
      const expired = cold.expired(number, beforeMs, SWEEP_ROWS_MAX);
      if (expired.length === 0) return;
      const inMemory = [...mailboxes.mailboxes()].find((each) => each.number === number);
      for (const { position, source, size } of expired)
        inMemory?.removeCold(position, { source: hexOf(source), size });
      await storeCommit.join(() => {
        for (const { position } of expired) cold.remove(number, position);
      });
      for (const { position } of expired) inMemory?.hasLeft(position);
    }
  }

  readonly #failed = (cause: unknown): void => {
    this.#parts.log.warn({ err: cause }, "mail-log-not-emptied");
  };
}
