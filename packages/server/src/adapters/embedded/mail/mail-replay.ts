import { fromBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema, envelopeBytesOfRow } from "@parley/protocol";
import { hexOf } from "../../../lib/bytes.ts";
import type { ColdMail } from "./cold-mail.ts";
import type { Block } from "./log-block.ts";
import { type MailboxRecord, replay } from "./mail-records.ts";
import { HotRow, Mailbox } from "./mailbox.ts";

export interface Replayed {
  readonly mailboxes: readonly Mailbox[];
  /** The highest position that the log names. */
  readonly position: number;
  /** Of the last block; undefined: there is none. */
  readonly mark: bigint | undefined;
}

/** Puts back into memory what the log has and the store does not. */
export function replayLog(blocks: readonly Block[], cold: ColdMail): Replayed {
  const state = new Replay(cold);
  for (const { payload, sequence } of blocks) {
    state.sequence = sequence;
    replay(payload as Buffer, state);
  }
  return { mailboxes: state.mailboxes(), position: state.position, mark: blocks.at(-1)?.mark };
}

class Replay {
  sequence = 0;
  position = 0;
  readonly #cold: ColdMail;
  /** Null: its device is listed no more. */
  readonly #found = new Map<number, Replaying | null>();

  constructor(cold: ColdMail) {
    this.#cold = cold;
  }

  row(number: number, position: number, bytes: Uint8Array): void {
    this.#saw(position);
    const found = this.#mailbox(number);
    if (found === null) return;
    // It may have moved already, before the crash that kept the log from being retired.
    if (found.mailbox.coldCount > 0 && this.#cold.has(number, position)) return;
    found.rows.set(position, { bytes: Uint8Array.from(bytes), sequence: this.sequence });
  }

  mailbox(record: MailboxRecord): void {
    const found = this.#mailbox(record.mailbox);
    if (found === null) return;
    const { mailbox, rows } = found;
    for (const position of rows.keys()) {
      if (position >= record.floor) break; // They stand there in order.
      rows.delete(position);
    }
    if (record.stateNumber > mailbox.stateNumber) mailbox.stateNumber = record.stateNumber;
    mailbox.isSkipped = record.isSkipped;
    mailbox.seenDay = Math.max(mailbox.seenDay, record.seenDay);
    mailbox.isUnsaved = true;
  }

  removed(number: number, position: number): void {
    this.#saw(position);
    this.#mailbox(number)?.rows.delete(position);
  }

  mailboxes(): readonly Mailbox[] {
    const all: Mailbox[] = [];
    for (const found of this.#found.values()) {
      if (found === null) continue;
      for (const [position, row] of found.rows) found.mailbox.addHot(hotRow(position, row));
      all.push(found.mailbox);
    }
    return all;
  }

  #mailbox(number: number): Replaying | null {
    const known = this.#found.get(number);
    if (known !== undefined) return known;
    const begin = this.#cold.findByNumber(number);
    const found = begin === undefined ? null : { mailbox: new Mailbox(begin), rows: new Map() };
    this.#found.set(number, found);
    return found;
  }

  #saw(position: number): void {
    if (position > this.position) this.position = position;
  }
}

interface LoggedRow {
  readonly bytes: Uint8Array;
  readonly sequence: number;
}

interface Replaying {
  readonly mailbox: Mailbox;
  readonly rows: Map<number, LoggedRow>;
}

function hotRow(position: number, { bytes, sequence }: LoggedRow): HotRow {
  const envelope = fromBinary(EnvelopeSchema, envelopeBytesOfRow(bytes));
  const row = new HotRow(position, {
    envelopeId: hexOf(envelope.id),
    source: hexOf(envelope.sourceAccount),
    acceptedAtMs: Number(envelope.acceptedAtMs),
    bytes,
  });
  row.sequence = sequence;
  return row;
}
