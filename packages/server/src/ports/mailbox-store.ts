import type { DeviceAddress } from "./device-address.ts";
import type { Mark } from "./mark.ts";
import type { DeliveryTrace } from "./tracer.ts";

/** For measuring only: nothing hangs on it. A store gives it back for as long as that costs it nothing. */
export interface DeliveryTiming {
  /** When the send request arrived, by the clock of the metrics. */
  readonly receivedAt: number;
  readonly trace: DeliveryTrace | undefined;
}

export interface Delivery {
  readonly mailbox: DeviceAddress;
  /** Lower-case hex. */
  readonly envelopeId: string;
  /** The envelope as it goes on the wire, with the server's fields; its ciphertext is opaque. */
  readonly bytes: Uint8Array;
  readonly timing?: DeliveryTiming | undefined;
}

export interface Send {
  readonly sender: DeviceAddress;
  readonly stateNumber: bigint;
  readonly deliveries: readonly Delivery[];
}

export type AppendOutcome =
  | { readonly kind: "appended"; readonly mark: Mark; readonly skipped: readonly DeviceAddress[] }
  /** A device was removed meanwhile; nothing was stored. */
  | { readonly kind: "mailbox-gone" };

/** Names one stored envelope to the store that made it; nobody else can read it. */
export type MailboxRow = object;
export interface StoredEnvelope {
  readonly row: MailboxRow;
  readonly bytes: Uint8Array;
  readonly timing?: DeliveryTiming | undefined;
}

export interface MailboxState {
  /** The highest state number that was told of this device. */
  readonly highestStateNumber: bigint;
  /** Envelopes were left out; stands until `clearSkipped`. */
  readonly skipped: boolean;
  /** Well below its limits, so that asking again for what was left out makes sense. */
  readonly hasRoom: boolean;
}

/** The durable queue of envelopes that the server keeps for each device until the device has them. */
export interface MailboxStore {
  /**
   * Resolves once all of them would survive a crash, under the mark of the commit that made them so. Where
   * it rejects, some may be there: the caller repeats the whole call, and a reader may then meet an
   * envelope twice, but never misses one. A store that finds rows by envelope id keeps one copy, answers a
   * repeat as if it were new, and rejects the same id with other bytes (the server's own fields left
   * aside) as ENVELOPE_ID_TAKEN.
   *
   * A mailbox that is full, or whose device has been away too long, is skipped and marked. Where every
   * mailbox of an account other than the sender's is skipped, nothing is stored and it rejects with
   * MAILBOX_FULL. While nothing can be written it rejects with STORAGE_UNAVAILABLE.
   */
  append(send: Send): Promise<AppendOutcome>;

  /** Begins at the oldest envelope that is still there. */
  open(mailbox: DeviceAddress): MailboxReader;

  /**
   * Drops what the device has acknowledged: no reader is given it any more. Durable within a minute; a crash
   * before that gives it to the device again. Rows that are gone already are ignored.
   */
  remove(mailbox: DeviceAddress, rows: readonly MailboxRow[]): Promise<void>;

  /** The device is here, and was at this state number. Remembered soon, visible at once. */
  seen(mailbox: DeviceAddress, stateNumber: bigint): void;

  state(mailbox: DeviceAddress): Promise<MailboxState>;

  clearSkipped(mailbox: DeviceAddress): Promise<void>;
}

export interface MailboxReader {
  /**
   * At most `limit` envelopes (fewer where they are large), each given at least once, in the order in which
   * they were accepted. None: nothing now, ask again after a wake-up.
   */
  next(limit: number): Promise<readonly StoredEnvelope[]>;
}
