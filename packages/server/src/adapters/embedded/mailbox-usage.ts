import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface MailboxLimits {
  readonly envelopesMax: number;
  readonly bytesMax: number;
  /** Of one sending account. */
  readonly envelopesPerSourceMax: number;
  /** A device that was not seen for this long gets nothing new. */
  readonly awayMsMax: number;
}

/** What one mailbox holds. */
interface Usage {
  envelopes: number;
  bytes: number;
  readonly bySource: Map<string, number>;
}

/** Asking others again for what was skipped makes sense once a quarter of the mailbox is free. */
const ROOM = 0.75;

/** Counts what waits in each mailbox, in memory, from what the store has; never the other way round. */
export class MailboxUsage {
  readonly #limits: MailboxLimits;
  readonly #count: StatementSync;
  readonly #used = new Map<number, Usage>();

  constructor(db: DatabaseSync, limits: MailboxLimits) {
    this.#limits = limits;
    this.#count = db.prepare(`SELECT source, count(*) AS envelopes, sum(length(bytes)) AS bytes
      FROM envelopes WHERE mailbox = ? GROUP BY source`);
  }

  isFull(mailbox: number, source: string, bytes: number): boolean {
    const used = this.#of(mailbox);
    return (
      used.envelopes >= this.#limits.envelopesMax ||
      used.bytes + bytes > this.#limits.bytesMax ||
      (used.bySource.get(source) ?? 0) >= this.#limits.envelopesPerSourceMax
    );
  }

  hasRoom(mailbox: number): boolean {
    const { envelopes, bytes } = this.#of(mailbox);
    const { envelopesMax, bytesMax } = this.#limits;
    return envelopes <= envelopesMax * ROOM && bytes <= bytesMax * ROOM;
  }

  add(mailbox: number, source: string, bytes: number): void {
    const used = this.#used.get(mailbox);
    if (used === undefined) return; // Counted from the store when it is asked for.
    used.envelopes++;
    used.bytes += bytes;
    used.bySource.set(source, (used.bySource.get(source) ?? 0) + 1);
  }

  subtract(mailbox: number, source: string, bytes: number): void {
    const used = this.#used.get(mailbox);
    if (used === undefined) return;
    used.envelopes--;
    used.bytes -= bytes;
    const left = (used.bySource.get(source) ?? 0) - 1;
    if (left > 0) used.bySource.set(source, left);
    else used.bySource.delete(source);
    if (used.envelopes <= 0) this.#used.delete(mailbox);
  }

  forget(mailbox: number): void {
    this.#used.delete(mailbox);
  }

  forgetAll(): void {
    this.#used.clear();
  }

  #of(mailbox: number): Usage {
    const found = this.#used.get(mailbox);
    if (found !== undefined) return found;
    const used: Usage = { envelopes: 0, bytes: 0, bySource: new Map() };
    for (const row of this.#count.all(mailbox)) {
      used.envelopes += row["envelopes"] as number;
      used.bytes += row["bytes"] as number;
      used.bySource.set(row["source"] as string, row["envelopes"] as number);
    }
    // An empty one costs nothing to count again, and most mailboxes are empty.
    if (used.envelopes > 0) this.#used.set(mailbox, used);
    return used;
  }
}
