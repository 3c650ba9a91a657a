import type { DeliveryTiming, StoredEnvelope } from "../../../ports/mailbox-store.ts";

/** Most mailboxes never need a set of their own. Nobody adds to this one. */
const NONE = new Set<number>();
const NO_BYTES = new Uint8Array(0);

/** A row that lies in the mail log, and here. Somebody who was given it may hold it for longer. */
export class HotRow {
  readonly position: number;
  /** Lower-case hex, as the source account's. */
  readonly envelopeId: string;
  readonly source: string;
  readonly acceptedAtMs: number;
  /** Nothing once the store has it. */
  bytes: Uint8Array;
  readonly size: number;
  readonly timing: DeliveryTiming | undefined;
  /** The file of the log that it lies in. */
  sequence = 0;
  place: "pending" | "hot" | "cold" | "gone" = "pending";

  constructor(
    position: number,
    from: {
      envelopeId: string;
      source: string;
      acceptedAtMs: number;
      bytes: Uint8Array;
      timing?: DeliveryTiming | undefined;
    },
  ) {
    this.position = position;
    this.envelopeId = from.envelopeId;
    this.source = from.source;
    this.acceptedAtMs = from.acceptedAtMs;
    this.bytes = from.bytes;
    this.size = from.bytes.length;
    this.timing = from.timing;
  }
}

/** Asking others again for what was skipped makes sense once a quarter of the mailbox is free. */
const ROOM = 0.75;
/** A repeat is looked for among so many rows one by one. */
const SEARCHED_ROWS_MAX = 32;
/** Rows at the front that are gone are cut off once there are this many. */
const GONE_ROWS_MAX = 64;

export interface MailboxLimits {
  readonly envelopesMax: number;
  readonly bytesMax: number;
  /** Of one sending account. */
  readonly envelopesPerSourceMax: number;
  /** A device that was not seen for this long gets nothing new. */
  readonly awayMsMax: number;
}

export interface MailboxBegin {
  readonly key: string;
  readonly number: number;
  readonly stateNumber: bigint;
  readonly isSkipped: boolean;
  readonly seenDay: number;
  readonly coldCount: number;
  readonly coldBytes: number;
}

/**
 * One device's mailbox as far as it is in memory: what lies in the log only, and numbers. Rows in the store
 * (cold) all have lower positions than rows in the log (hot), because the oldest move first.
 */
export class Mailbox {
  readonly key: string;
  readonly number: number;
  stateNumber: bigint;
  isSkipped: boolean;
  seenDay: number;
  coldCount: number;
  coldBytes: number;
  /** Something that the log does not have yet. */
  isDirty = false;
  /** Something that the store does not have yet. */
  isUnsaved = false;
  /** Positions of cold rows that the store is about to drop. */
  #leaving: Set<number> = NONE;
  /** Removed out of turn, and not in the log yet. */
  readonly removedApart: number[] = [];
  #rows: HotRow[] = [];
  #head = 0;
  #hotBytes = 0;
  #pending: HotRow[] = [];
  #pendingBytes = 0;
  #bySource: Map<string, number> | undefined;
  /** Hot rows; only where there are too many to look through. */
  #byId: Map<string, HotRow> | undefined;

  constructor(begin: MailboxBegin) {
    this.key = begin.key;
    this.number = begin.number;
    this.stateNumber = begin.stateNumber;
    this.isSkipped = begin.isSkipped;
    this.seenDay = begin.seenDay;
    this.coldCount = begin.coldCount;
    this.coldBytes = begin.coldBytes;
  }

  get hotCount(): number {
    return this.#rows.length - this.#head;
  }

  get hotBytes(): number {
    return this.#hotBytes;
  }

  get count(): number {
    return this.coldCount + this.hotCount + this.#pending.length;
  }

  get bytes(): number {
    return this.coldBytes + this.#hotBytes + this.#pendingBytes;
  }

  /** Nothing of it is known here only. */
  get isIdle(): boolean {
    if (this.isDirty || this.isUnsaved || this.#leaving.size > 0) return false;
    return this.count === this.coldCount;
  }

  /** Rows of the log below this position are gone. */
  get floor(): number {
    const first = this.#rows[this.#head] ?? this.#pending[0];
    return first?.position ?? Number.MAX_SAFE_INTEGER;
  }

  hasRoom({ envelopesMax, bytesMax }: MailboxLimits): boolean {
    return this.count <= envelopesMax * ROOM && this.bytes <= bytesMax * ROOM;
  }

  /** `countCold`: how many cold rows there are of each source; asked only where one source could be too many. */
  isFull(
    row: { readonly source: string; readonly bytes: Uint8Array },
    limits: MailboxLimits,
    countCold: () => Map<string, number>,
  ): boolean {
    if (this.count >= limits.envelopesMax) return true;
    if (this.bytes + row.bytes.length > limits.bytesMax) return true;
    if (this.count < limits.envelopesPerSourceMax) {
      this.#bySource = undefined;
      return false;
    }
    this.#bySource ??= this.#countBySource(countCold());
    return (this.#bySource.get(row.source) ?? 0) >= limits.envelopesPerSourceMax;
  }

  /** What is here under that envelope id; cold rows are the store's to know. */
  rowWithId(envelopeId: string): HotRow | undefined {
    for (let i = this.#pending.length - 1; i >= 0; i--)
      if (this.#pending[i]?.envelopeId === envelopeId) return this.#pending[i];
    // Mailboxes of people who are there are short, and a map for each of them would cost more.
    if (this.hotCount > SEARCHED_ROWS_MAX) this.#byId ??= this.#indexById();
    if (this.#byId !== undefined) return this.#byId.get(envelopeId);
    for (let i = this.#rows.length - 1; i >= this.#head; i--) {
      const row = this.#rows[i] as HotRow;
      if (row.envelopeId === envelopeId && row.place === "hot") return row;
    }
    return undefined;
  }

  addPending(row: HotRow): void {
    this.#pending.push(row);
    this.#pendingBytes += row.size;
    this.#count(row.source, 1);
  }

  /** What a commit made durable can be read from now on. */
  settlePending(sequence: number): void {
    for (const row of this.#pending) {
      row.sequence = sequence;
      this.addHot(row);
    }
    this.#clearPending();
  }

  dropPending(): void {
    for (const row of this.#pending) {
      row.place = "gone";
      this.#count(row.source, -1);
    }
    this.#clearPending();
  }

  addHot(row: HotRow): void {
    row.place = "hot";
    this.#rows.push(row);
    this.#byId?.set(row.envelopeId, row);
    this.#hotBytes += row.size;
  }

  removeHot(row: HotRow): void {
    if (row.place !== "hot") return;
    row.place = "gone";
    this.#leave(row);
    if (row !== this.#rows[this.#head]) this.removedApart.push(row.position);
    this.#cut();
  }

  /** The store has it from here on. */
  toCold(row: HotRow): void {
    row.place = "cold";
    row.bytes = NO_BYTES;
    this.#byId?.delete(row.envelopeId);
    this.coldCount++;
    this.coldBytes += row.size;
    this.#hotBytes -= row.size;
    this.#cut();
  }

  /** False: that was done before. */
  removeCold(position: number, { source, size }: { source: string; size: number }): boolean {
    if (this.#leaving.has(position)) return false;
    if (this.#leaving === NONE) this.#leaving = new Set();
    this.#leaving.add(position);
    this.coldCount--;
    this.coldBytes -= size;
    this.#count(source, -1);
    return true;
  }

  isLeaving(position: number): boolean {
    return this.#leaving.has(position);
  }

  /** The store has dropped it. */
  hasLeft(position: number): void {
    this.#leaving.delete(position);
    if (this.#leaving.size === 0) this.#leaving = NONE;
  }

  /** The oldest rows that lie in files of the log up to that one. */
  *rowsUpTo(sequence: number): Iterable<HotRow> {
    for (let i = this.#head; i < this.#rows.length; i++) {
      const row = this.#rows[i] as HotRow;
      if (row.sequence > sequence) return;
      if (row.place === "hot") yield row;
    }
  }

  /** Into `page`, until it has `limit` rows or `bytesMax`. */
  read(page: StoredEnvelope[], after: number, { limit, bytesMax }: ReadLimits): void {
    let bytes = 0;
    for (const { bytes: each } of page) bytes += each.length;
    for (let i = this.#indexAfter(after); i < this.#rows.length; i++) {
      const row = this.#rows[i] as HotRow;
      if (row.place !== "hot") continue;
      if (page.length >= limit || bytes >= bytesMax) return;
      page.push({ row, bytes: row.bytes, timing: row.timing });
      bytes += row.size;
    }
  }

  #clearPending(): void {
    if (this.#pending.length > 0) this.#pending = [];
    this.#pendingBytes = 0;
  }

  #leave({ size, source, envelopeId }: HotRow): void {
    this.#byId?.delete(envelopeId);
    this.#hotBytes -= size;
    this.#count(source, -1);
  }

  #cut(): void {
    while (this.#head < this.#rows.length && this.#rows[this.#head]?.place !== "hot") this.#head++;
    if (this.#head === this.#rows.length) {
      this.#rows.length = 0;
      this.#byId = undefined;
    } else if (this.#head < GONE_ROWS_MAX || this.#head * 2 < this.#rows.length) return;
    else this.#rows.splice(0, this.#head);
    this.#head = 0;
  }

  #indexById(): Map<string, HotRow> {
    const byId = new Map<string, HotRow>();
    for (let i = this.#head; i < this.#rows.length; i++) {
      const row = this.#rows[i] as HotRow;
      if (row.place === "hot") byId.set(row.envelopeId, row);
    }
    return byId;
  }

  #indexAfter(position: number): number {
    let low = this.#head;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle] as HotRow).position > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #count(source: string, change: number): void {
    this.#bySource?.set(source, (this.#bySource.get(source) ?? 0) + change);
  }

  #countBySource(bySource: Map<string, number>): Map<string, number> {
    for (let i = this.#head; i < this.#rows.length; i++) {
      const { source, place } = this.#rows[i] as HotRow;
      if (place === "hot") bySource.set(source, (bySource.get(source) ?? 0) + 1);
    }
    for (const { source } of this.#pending) bySource.set(source, (bySource.get(source) ?? 0) + 1);
    return bySource;
  }
}

export interface ReadLimits {
  readonly limit: number;
  readonly bytesMax: number;
}
