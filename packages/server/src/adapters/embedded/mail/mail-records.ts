/**
 * What the blocks of the mail log hold: records, one behind the other, in the order in which they happened.
 *
 * row:     1 · mailbox 4 · position 6 · length 4 · the row, as it goes on the wire
 * mailbox: 2 · mailbox 4 · floor 6 · state number 8 · flags 1 · day on which the device was seen 4
 * removed: 3 · mailbox 4 · position 6
 *
 * A byte of zero ends a block early: it pads it.
 */
export const ROW_HEAD_BYTES = 15;
export const MAILBOX_RECORD_BYTES = 24;
export const REMOVED_RECORD_BYTES = 11;

const ROW = 1;
const MAILBOX = 2;
const REMOVED = 3;
const SKIPPED = 1;

export interface MailboxRecord {
  readonly mailbox: number;
  /** Rows below this position are gone. */
  readonly floor: number;
  readonly stateNumber: bigint;
  readonly isSkipped: boolean;
  /** Days since 1970: when exactly a device was here is nobody's business. */
  readonly seenDay: number;
}

export interface MailReplay {
  row(mailbox: number, position: number, bytes: Uint8Array): void;
  mailbox(record: MailboxRecord): void;
  removed(mailbox: number, position: number): void;
}

/** The row itself goes behind it. */
export function writeRowHead(
  block: Buffer,
  at: number,
  { mailbox, position, length }: { mailbox: number; position: number; length: number },
): void {
  block[at] = ROW;
  block.writeUInt32LE(mailbox, at + 1);
  block.writeUIntLE(position, at + 5, 6);
  block.writeUInt32LE(length, at + 11);
}

export function writeMailbox(block: Buffer, at: number, record: MailboxRecord): void {
  block[at] = MAILBOX;
  block.writeUInt32LE(record.mailbox, at + 1);
  block.writeUIntLE(record.floor, at + 5, 6);
  block.writeBigUInt64LE(record.stateNumber, at + 11);
  block[at + 19] = record.isSkipped ? SKIPPED : 0;
  block.writeUInt32LE(record.seenDay, at + 20);
}

export function writeRemoved(block: Buffer, at: number, mailbox: number, position: number): void {
  block[at] = REMOVED;
  block.writeUInt32LE(mailbox, at + 1);
  block.writeUIntLE(position, at + 5, 6);
}

/** Reads the payload of a block whose checksum holds. */
export function replay(payload: Buffer, to: MailReplay): void {
  for (let at = 0; at < payload.length && payload[at] !== 0; ) {
    const mailbox = payload.readUInt32LE(at + 1);
    const position = payload.readUIntLE(at + 5, 6);
    switch (payload[at]) {
      case ROW: {
        const end = at + ROW_HEAD_BYTES + payload.readUInt32LE(at + 11);
        to.row(mailbox, position, payload.subarray(at + ROW_HEAD_BYTES, end));
        at = end;
        break;
      }
      case MAILBOX:
        to.mailbox({
          mailbox,
          floor: position,
          stateNumber: payload.readBigUInt64LE(at + 11),
          isSkipped: payload[at + 19] === SKIPPED,
          seenDay: payload.readUInt32LE(at + 20),
        });
        at += MAILBOX_RECORD_BYTES;
        break;
      case REMOVED:
        to.removed(mailbox, position);
        at += REMOVED_RECORD_BYTES;
        break;
      default:
        throw new Error(`a record of kind ${payload[at]} in the mail log: a newer Parley wrote it`);
    }
  }
}
