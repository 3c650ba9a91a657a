import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { ENVELOPE_LIFETIME_MS, ErrorCode, ProtocolError } from "@parley/protocol";
import { sameEnvelope } from "../../lib/same-envelope.ts";
import type { Clock } from "../../ports/clock.ts";
import { addressKey, type DeviceAddress } from "../../ports/device-address.ts";
import type { Log } from "../../ports/log.ts";
import type {
  AppendOutcome,
  Delivery,
  MailboxReader,
  MailboxRow,
  MailboxState,
  MailboxStore,
  Send,
  StoredEnvelope,
} from "../../ports/mailbox-store.ts";
import type { GroupCommit } from "./group-commit.ts";
import { mailboxStatements } from "./mailbox-statements.ts";
import { type MailboxLimits, MailboxUsage } from "./mailbox-usage.ts";
import type { DeviceRows } from "./sqlite-account-store.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A page of a reader ends here: what a connection holds in memory while its window is closed. */
const PAGE_BYTES_MAX = 1024 * 1024;
/** What is too old is looked for this often, and dropped in pieces of this size. */
const SWEEP_EVERY_MS = 60 * 60 * 1000;
const SWEEP_ROWS_MAX = 1_000;
/** SQLite's integers are signed; a client that counts to here does not exist. */
const STATE_NUMBER_MAX = 2n ** 63n - 1n;

export interface MailboxParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: MailboxLimits;
}

type EnvelopeRow = {
  readonly position: number;
  readonly mailbox: number;
  readonly id: string;
  readonly source: string;
  readonly checksum: number;
  readonly bytes: Uint8Array;
};
type RowSize = {
  readonly position: number;
  readonly mailbox: number;
  readonly source: string;
  readonly accepted_at_ms: number;
  readonly size: number;
};

export class SqliteMailboxStore implements MailboxStore, DeviceRows {
  readonly #commit: GroupCommit;
  readonly #parts: MailboxParts;
  readonly #usage: MailboxUsage;
  readonly #sql: ReturnType<typeof mailboxStatements>;
  readonly #numbers = new Map<string, number>();
  /** State numbers that ride in the next commit. */
  readonly #seen = new Map<number, bigint>();

  constructor(db: DatabaseSync, commit: GroupCommit, parts: MailboxParts) {
    this.#commit = commit;
    this.#parts = parts;
    this.#usage = new MailboxUsage(db, parts.limits);
    this.#sql = mailboxStatements(db);
    commit.onRollback(() => {
      this.#usage.forgetAll();
      this.#numbers.clear();
    });
  }

  begin(accountId: string, deviceId: number): void {
    this.#sql.begin.run(accountId, deviceId, this.#today());
  }

  end(accountId: string, deviceId: number): void {
    const mailbox = this.#numberOf({ accountId, deviceId });
    if (mailbox === undefined) return;
    this.#sql.endEnvelopes.run(mailbox);
    this.#sql.end.run(mailbox);
    this.#usage.forget(mailbox);
    this.#numbers.delete(addressKey({ accountId, deviceId }));
  }

  async append(send: Send): Promise<AppendOutcome> {
    const { value, mark } = await this.#commit.join(() => this.#appendWithin(send));
    return value === undefined
      ? { kind: "mailbox-gone" }
      : { kind: "appended", mark, skipped: value };
  }

  open(mailbox: DeviceAddress): MailboxReader {
    const number = this.#numberOf(mailbox);
    let position = 0;
    return {
      next: async (limit) => {
        const page: StoredEnvelope[] = [];
        if (number === undefined) return page;
        let size = 0;
        for (const found of this.#sql.read.iterate(number, position, limit)) {
          const row = found as EnvelopeRow;
          position = row.position;
          if (row.checksum !== checksumOf(row)) this.#dropDamaged(row);
          else page.push({ row: String(row.position) as MailboxRow, bytes: row.bytes });
          size += row.bytes.length;
          if (size >= PAGE_BYTES_MAX) break;
        }
        return page;
      },
    };
  }

  async remove(mailbox: DeviceAddress, rows: readonly MailboxRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#commit.ride(() => {
      const number = this.#numberOf(mailbox);
      if (number === undefined) return;
      for (const row of rows) {
        const found = this.#sql.size.get(Number(row), number) as RowSize | undefined;
        if (found !== undefined) this.#removeWithin(found);
      }
    });
  }

  seen(mailbox: DeviceAddress, stateNumber: bigint): void {
    const number = this.#numberOf(mailbox);
    if (number === undefined) return;
    const told = bounded(stateNumber);
    if (told === 0n && this.#seenAtMs(number) === this.#today()) return;
    const pending = this.#seen.get(number);
    this.#seen.set(number, pending === undefined || told > pending ? told : pending);
    if (pending !== undefined) return;
    // Settles when it is written, and where the disk is full it rides again: it cannot reject.
    void this.#commit
      .ride(() => {
        const highest = this.#seen.get(number) ?? 0n;
        this.#sql.seen.run(highest, this.#today(), number);
        return highest;
      })
      .then(({ value }) => {
        if (this.#seen.get(number) === value) this.#seen.delete(number);
        else this.#seenAgain(mailbox, number);
      });
  }

  async state(mailbox: DeviceAddress): Promise<MailboxState> {
    const number = this.#numberOf(mailbox);
    const row = number === undefined ? undefined : this.#sql.state.get(number);
    if (number === undefined || row === undefined)
      return { highestStateNumber: 0n, skipped: false, hasRoom: true };
    const stored = row["state_number"] as bigint;
    const seen = this.#seen.get(number) ?? 0n;
    return {
      highestStateNumber: seen > stored ? seen : stored,
      skipped: row["skipped"] === 1n,
      hasRoom: this.#usage.hasRoom(number),
    };
  }

  async clearSkipped(mailbox: DeviceAddress): Promise<void> {
    await this.#commit.join(() => {
      const number = this.#numberOf(mailbox);
      if (number !== undefined) this.#sql.setSkipped.run(0, number);
    });
  }

  /** Drops what is older than any envelope gets, now and from time to time. */
  startSweeping(): void {
    const again = (delayMs: number) => {
      this.#parts.clock.after(delayMs, () => this.startSweeping());
    };
    if (this.#expired(1).length === 0) again(SWEEP_EVERY_MS);
    else void this.#commit.ride(() => this.#sweepWithin()).then(() => again(0));
  }

  #appendWithin({ sender, stateNumber, deliveries }: Send): readonly DeviceAddress[] | undefined {
    const now = this.#parts.clock.now();
    const found: { delivery: Delivery; mailbox: number; isNew: boolean; skip: boolean }[] = [];
    for (const delivery of deliveries) {
      const mailbox = this.#numberOf(delivery.mailbox);
      if (mailbox === undefined) return undefined;
      const isNew = this.#isNew(mailbox, delivery);
      const skip = isNew && this.#skips(mailbox, sender.accountId, delivery.bytes.length);
      found.push({ delivery, mailbox, isNew, skip });
    }
    const others = found.filter(({ delivery }) => delivery.mailbox.accountId !== sender.accountId);
    if (others.length > 0 && others.every(({ skip }) => skip))
      throw new ProtocolError(ErrorCode.MAILBOX_FULL, "every mailbox of the account is full", {
        retryAfterMs: 60_000,
      });
    for (const { delivery, mailbox, isNew, skip } of found) {
      if (skip) this.#sql.setSkipped.run(1, mailbox);
      else if (isNew) this.#insert(mailbox, sender.accountId, delivery, now);
    }
    const own = this.#numberOf(sender);
    if (own !== undefined) this.#sql.seen.run(bounded(stateNumber), this.#today(), own);
    return found.filter(({ skip }) => skip).map(({ delivery }) => delivery.mailbox);
  }

  #isNew(mailbox: number, { envelopeId, bytes }: Delivery): boolean {
    const there = this.#sql.byId.get(mailbox, envelopeId)?.["bytes"] as Uint8Array | undefined;
    if (there === undefined) return true;
    if (sameEnvelope(there, bytes)) return false;
    throw new ProtocolError(ErrorCode.ENVELOPE_ID_TAKEN, "another envelope with this id waits");
  }

  #skips(mailbox: number, source: string, bytes: number): boolean {
    const away = this.#today() - this.#seenAtMs(mailbox) > this.#parts.limits.awayMsMax;
    return (away && !this.#seen.has(mailbox)) || this.#usage.isFull(mailbox, source, bytes);
  }

  #seenAtMs(mailbox: number): number {
    return Number(this.#sql.state.get(mailbox)?.["seen_at_ms"] ?? 0);
  }

  #insert(mailbox: number, source: string, { envelopeId: id, bytes }: Delivery, now: number) {
    const checksum = checksumOf({ mailbox, id, source, bytes });
    this.#sql.insert.run(...[mailbox, id, source, now, checksum, bytes]);
    this.#usage.add(mailbox, source, bytes.length);
  }

  #removeWithin({ position, mailbox, source, size }: RowSize): void {
    this.#sql.remove.run(position);
    this.#usage.subtract(mailbox, source, size);
  }

  #sweepWithin(): void {
    for (const row of this.#expired(SWEEP_ROWS_MAX)) this.#removeWithin(row);
  }

  /** The oldest rows, as far as they are too old. */
  #expired(rowsMax: number): readonly RowSize[] {
    const cutoff = this.#parts.clock.now() - ENVELOPE_LIFETIME_MS;
    const oldest = this.#sql.oldest.all(rowsMax) as RowSize[];
    const firstKept = oldest.findIndex(({ accepted_at_ms }) => accepted_at_ms >= cutoff);
    return firstKept === -1 ? oldest : oldest.slice(0, firstKept);
  }

  /** Never served, and never dropped in silence: the device asks for what it missed (delivery.md 3). */
  #dropDamaged({ position, mailbox }: EnvelopeRow): void {
    this.#parts.log.error({ position }, "envelope-damaged");
    void this.#commit.ride(() => {
      const found = this.#sql.size.get(position, mailbox) as RowSize | undefined;
      if (found !== undefined) this.#removeWithin(found);
      this.#sql.setSkipped.run(1, mailbox);
    });
  }

  #seenAgain(mailbox: DeviceAddress, number: number): void {
    const newer = this.#seen.get(number);
    if (newer === undefined) return;
    this.#seen.delete(number);
    this.seen(mailbox, newer);
  }

  #numberOf(mailbox: DeviceAddress): number | undefined {
    const key = addressKey(mailbox);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const found = this.#sql.number.get(mailbox.accountId, mailbox.deviceId)?.["number"];
    if (found !== undefined) this.#numbers.set(key, found as number);
    return found as number | undefined;
  }

  /** Whole days: when exactly a device was here is nobody's business. */
  #today(): number {
    return Math.floor(this.#parts.clock.now() / DAY_MS) * DAY_MS;
  }
}

function bounded(stateNumber: bigint): bigint {
  return stateNumber > STATE_NUMBER_MAX ? STATE_NUMBER_MAX : stateNumber;
}

/** Covers where the row belongs too: a row that turns up in another mailbox is damaged. */
function checksumOf(row: Pick<EnvelopeRow, "mailbox" | "id" | "source" | "bytes">): number {
  return crc32(row.bytes, crc32(`${row.mailbox} ${row.id} ${row.source}`));
}
