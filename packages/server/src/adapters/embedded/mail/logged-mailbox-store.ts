import { ErrorCode, ProtocolError } from "@parley/protocol";
import { sameEnvelope } from "../../../lib/same-envelope.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { DeviceAddress } from "../../../ports/device-address.ts";
import type { Log } from "../../../ports/log.ts";
import type {
  AppendOutcome,
  Delivery,
  MailboxReader,
  MailboxRow,
  MailboxState,
  MailboxStore,
  Send,
  StoredEnvelope,
} from "../../../ports/mailbox-store.ts";
import type { Metrics } from "../../../ports/metrics.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { DeviceRows } from "../sqlite-account-store.ts";
import { type ColdMail, ColdRow, mailboxKey } from "./cold-mail.ts";
import type { MailCommit } from "./mail-commit.ts";
import { HotRow, Mailbox, type MailboxLimits } from "./mailbox.ts";
import { RowMemory } from "./row-memory.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A page of a reader ends here: what a connection holds in memory while its window is closed. */
const PAGE_BYTES_MAX = 128 * 1024;
/** SQLite's integers are signed; a client that counts to here does not exist. */
const STATE_NUMBER_MAX = 2n ** 63n - 1n;
const FULL_RETRY_AFTER_MS = 60_000;

export interface LoggedMailboxParts {
  readonly cold: ColdMail;
  readonly commit: MailCommit;
  /** The store's own writer, for what lies there. */
  readonly storeCommit: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: MailboxLimits;
}

/** What was found at the start. */
export interface Recovered {
  readonly mailboxes: readonly Mailbox[];
  readonly position: number;
}

interface Destination {
  readonly delivery: Delivery;
  readonly mailbox: Mailbox;
  readonly isNew: boolean;
  readonly skip: boolean;
}

/**
 * Mailboxes over two tiers: what is accepted goes to the log and stays in memory; what its device does not
 * fetch soon moves into the store (retirement.ts), and the log is emptied. So a message to somebody who is there costs
 * one share of a durable write, and a waiting one costs no memory.
 */
export class LoggedMailboxStore implements MailboxStore, DeviceRows {
  readonly #parts: LoggedMailboxParts;
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Ended within a commit of the store that may still be undone. */
  #ended: Mailbox[] = [];
  readonly #memory = new RowMemory();
  #position: number;

  constructor(parts: LoggedMailboxParts, recovered: Recovered) {
    this.#parts = parts;
    this.#position = recovered.position;
    for (const mailbox of recovered.mailboxes) this.#mailboxes.set(mailbox.key, mailbox);
    parts.storeCommit.onRollback(() => this.#undoEnds());
  }

  /** The highest position that was given so far. */
  get position(): number {
    return this.#position;
  }

  /** Those that are in memory. */
  mailboxes(): IterableIterator<Mailbox> {
    return this.#mailboxes.values();
  }

  /** Memory is for mailboxes that something is going on in. */
  dropIdle(): void {
    for (const mailbox of this.#mailboxes.values())
      if (mailbox.isIdle) this.#mailboxes.delete(mailbox.key);
    this.#ended = []; // Their commit is long over.
  }

  begin(accountId: string, deviceId: number): void {
    this.#parts.cold.begin(accountId, deviceId, this.#today());
  }

  end(accountId: string, deviceId: number): void {
    const mailbox = this.#find({ accountId, deviceId });
    if (mailbox === undefined) return;
    this.#parts.cold.end(mailbox.number);
    this.#parts.commit.forget(mailbox);
    this.#mailboxes.delete(mailbox.key);
    this.#ended.push(mailbox);
  }

  async append(send: Send): Promise<AppendOutcome> {
    let bytes = 0;
    for (const delivery of send.deliveries) bytes += delivery.bytes.length;
    const { value, mark } = await this.#parts.commit.join({
      bytes,
      run: (stage) => this.#appendWithin(send, stage),
    });
    return value === undefined
      ? { kind: "mailbox-gone" }
      : { kind: "appended", mark, skipped: value };
  }

  open(address: DeviceAddress): MailboxReader {
    const key = mailboxKey(address.accountId, address.deviceId);
    const number = this.#find(address)?.number;
    let position = 0;
    return {
      next: async (limit) => {
        const mailbox = this.#mailboxes.get(key) ?? this.#find(address);
        // Another device has taken the id: it has a reader of its own.
        if (mailbox === undefined || mailbox.number !== number) return [];
        const page = this.#read(mailbox, position, limit);
        position = (page.at(-1)?.row as HotRow | ColdRow | undefined)?.position ?? position;
        return page;
      },
    };
  }

  async remove(address: DeviceAddress, rows: readonly MailboxRow[]): Promise<void> {
    const mailbox = rows.length === 0 ? undefined : this.#find(address);
    if (mailbox === undefined) return;
    for (const row of rows) {
      if (row instanceof ColdRow) this.#removeCold(mailbox, row);
      else if (row instanceof HotRow) this.#removeHot(mailbox, row);
    }
    this.#parts.metrics.acked(rows.length);
    this.#parts.commit.note(mailbox);
  }

  seen(address: DeviceAddress, stateNumber: bigint): void {
    const mailbox = this.#find(address);
    if (mailbox === undefined) return;
    this.#see(mailbox, stateNumber);
  }

  async state(address: DeviceAddress): Promise<MailboxState> {
    const mailbox = this.#find(address);
    if (mailbox === undefined) return { highestStateNumber: 0n, skipped: false, hasRoom: true };
    return {
      highestStateNumber: mailbox.stateNumber,
      skipped: mailbox.isSkipped,
      hasRoom: mailbox.hasRoom(this.#parts.limits),
    };
  }

  async clearSkipped(address: DeviceAddress): Promise<void> {
    await this.#parts.commit.join({
      bytes: 0,
      run: () => {
        const mailbox = this.#find(address);
        if (mailbox?.isSkipped !== true) return;
        mailbox.isSkipped = false;
        this.#parts.commit.note(mailbox);
      },
    });
  }

  #appendWithin(
    { sender, stateNumber, deliveries }: Send,
    stage: (mailbox: Mailbox, row: HotRow) => void,
  ): readonly DeviceAddress[] | undefined {
    const found: Destination[] = [];
    for (const delivery of deliveries) {
      const mailbox = this.#find(delivery.mailbox);
      if (mailbox === undefined) return undefined;
      const isNew = this.#isNew(mailbox, delivery);
      const skip = isNew && this.#skips(mailbox, sender.accountId, delivery.bytes);
      found.push({ delivery, mailbox, isNew, skip });
    }
    this.#requireRoom(sender, found);
    const acceptedAtMs = this.#parts.clock.now();
    for (const { delivery, mailbox, isNew, skip } of found) {
      if (skip) this.#setSkipped(mailbox);
      else if (isNew) {
        const { envelopeId, timing } = delivery;
        const bytes = this.#memory.copy(delivery.bytes);
        const from = { envelopeId, source: sender.accountId, acceptedAtMs, bytes, timing };
        stage(mailbox, new HotRow(++this.#position, from));
      }
    }
    const own = this.#find(sender);
    if (own !== undefined) this.#see(own, stateNumber);
    return found.filter(({ skip }) => skip).map(({ delivery }) => delivery.mailbox);
  }

  #requireRoom(sender: DeviceAddress, found: readonly Destination[]): void {
    let others = 0;
    for (const { delivery, skip } of found) {
      if (delivery.mailbox.accountId === sender.accountId) continue;
      if (!skip) return;
      others++;
    }
    if (others > 0)
      throw new ProtocolError(ErrorCode.MAILBOX_FULL, "every mailbox of the account is full", {
        retryAfterMs: FULL_RETRY_AFTER_MS,
      });
  }

  #isNew(mailbox: Mailbox, { envelopeId, bytes }: Delivery): boolean {
    const there =
      mailbox.rowWithId(envelopeId)?.bytes ??
      (mailbox.coldCount > 0
        ? this.#parts.cold.bytesWithId(mailbox.number, envelopeId)
        : undefined);
    if (there === undefined) return true;
    if (sameEnvelope(there, bytes)) return false;
    throw new ProtocolError(ErrorCode.ENVELOPE_ID_TAKEN, "another envelope with this id waits");
  }

  #skips(mailbox: Mailbox, source: string, bytes: Uint8Array): boolean {
    const { limits, cold } = this.#parts;
    const awayMs = (this.#today() - mailbox.seenDay) * DAY_MS;
    if (awayMs > limits.awayMsMax) return true;
    return mailbox.isFull({ source, bytes }, limits, () => cold.countBySource(mailbox.number));
  }

  #setSkipped(mailbox: Mailbox): void {
    if (mailbox.isSkipped) return;
    mailbox.isSkipped = true;
    this.#parts.commit.note(mailbox);
  }

  #see(mailbox: Mailbox, stateNumber: bigint): void {
    const told = stateNumber > STATE_NUMBER_MAX ? STATE_NUMBER_MAX : stateNumber;
    const today = this.#today();
    if (told <= mailbox.stateNumber && mailbox.seenDay >= today) return;
    if (told > mailbox.stateNumber) mailbox.stateNumber = told;
    if (today > mailbox.seenDay) mailbox.seenDay = today;
    this.#parts.commit.note(mailbox);
  }

  #read(mailbox: Mailbox, after: number, limit: number): readonly StoredEnvelope[] {
    const page: StoredEnvelope[] = [];
    const limits = { limit, bytesMax: PAGE_BYTES_MAX };
    let position = after;
    while (mailbox.coldCount > 0 && page.length === 0) {
      const cold = this.#parts.cold.read(mailbox.number, position, limits);
      for (const each of cold.envelopes) if (!mailbox.isLeaving(each.row.position)) page.push(each);
      for (const damaged of cold.damaged)
        if (!mailbox.isLeaving(damaged)) this.#dropDamaged(mailbox, damaged);
      if (cold.position === position) break;
      position = cold.position;
    }
    mailbox.read(page, position, limits);
    return page;
  }

  #removeHot(mailbox: Mailbox, row: HotRow): void {
    if (row.place === "hot") mailbox.removeHot(row);
    // It was read from the log, and has moved since.
    else if (row.place === "cold") this.#removeCold(mailbox, row);
  }

  #removeCold(mailbox: Mailbox, { position, source, size }: ColdRow): void {
    if (!mailbox.removeCold(position, { source, size })) return;
    // Where the disk is full it rides again: it cannot reject.
    void this.#parts.storeCommit
      .ride(() => this.#parts.cold.remove(mailbox.number, position))
      .then(() => mailbox.hasLeft(position));
  }

  /** Never served, and never dropped in silence: the device asks for what it missed (delivery.md 3). */
  #dropDamaged(mailbox: Mailbox, position: number): void {
    this.#parts.log.error({ position }, "envelope-damaged");
    this.#parts.metrics.damaged(1);
    this.#setSkipped(mailbox);
    this.#removeCold(mailbox, { position, source: "", size: 0 });
  }

  #undoEnds(): void {
    for (const mailbox of this.#ended)
      if (this.#parts.cold.exists(mailbox.number)) this.#mailboxes.set(mailbox.key, mailbox);
    this.#ended = [];
  }

  #find({ accountId, deviceId }: DeviceAddress): Mailbox | undefined {
    const key = mailboxKey(accountId, deviceId);
    const known = this.#mailboxes.get(key);
    if (known !== undefined) return known;
    const begin = this.#parts.cold.find(accountId, deviceId);
    if (begin === undefined) return undefined;
    const mailbox = new Mailbox(begin);
    this.#mailboxes.set(key, mailbox);
    return mailbox;
  }

  #today(): number {
    return Math.floor(this.#parts.clock.now() / DAY_MS);
  }
}
