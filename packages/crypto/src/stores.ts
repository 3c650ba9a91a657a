import type { OwnSenderKey, SenderKeyRecord, SessionRecord } from "@parley/protocol";
import type { PrekeyNeeds } from "./ratchet/ciphertext.ts";
import type { HandshakeUse, PrekeysForMessage, RemoteDevice } from "./ratchet/session-api.ts";

/**
 * What cryptography asks of the store that keeps its state (e2ee.md, keys at rest):
 *
 *  1. compute first: a step is *staged*, and changes nothing;
 *  2. then ONE transaction with session, used prekeys, and the message or the outbox's row: `Staged.commit`;
 *  3. only then send, show or acknowledge: `Kept.released`.
 *
 * A result comes out of a Staged by its commit alone, and of a Kept, for the world, only once that is durable: a
 * crash between two of them repeats a step that nobody has seen, and never uses a message key twice.
 *
 * And one writer: pieces of work run one after the other, each over what the one before has changed, in all tabs
 * and processes that share the store. A step that was staged on a session which has moved since is refused.
 */
export interface StoreWriter<Tx extends StoreTransaction> {
  /** Resolves once what the work wrote is durable. A work that throws leaves nothing behind. */
  transact<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** One piece of work on a store: all that it writes becomes durable together, or nothing does. */
export interface StoreTransaction {
  /** Runs once the work is durable, and not at all where it fails. */
  afterCommit(run: () => void): void;
}

/** One step of a session with another device. */
export interface SessionStep {
  /** Takes the place of the one that was read. */
  readonly record: SessionRecord;
  /** Where a message began the session: what it used up. */
  readonly handshake: HandshakeUse | undefined;
}

/** Sessions and prekeys of one device, within a transaction. */
export interface SessionStore<Tx extends StoreTransaction> {
  session(tx: Tx, remote: RemoteDevice): Promise<SessionRecord | undefined>;
  /** What is there of what a message names. */
  prekeys(tx: Tx, needs: PrekeyNeeds): Promise<PrekeysForMessage>;
  /**
   * Writes all of it: the record, that the one-time prekey is gone and the use of a last-resort prekey
   * remembered, and a higher state number (trust.md 7).
   */
  write(tx: Tx, remote: RemoteDevice, step: SessionStep): Promise<void>;
}

/** Sender keys of one device, within a transaction: its own, one a group, and those that it was given. */
export interface SenderKeyStore<Tx extends StoreTransaction> {
  own(tx: Tx, groupId: Uint8Array): Promise<OwnSenderKey | undefined>;
  /** Writes it, and a higher state number (trust.md 7). */
  writeOwn(tx: Tx, own: OwnSenderKey): Promise<void>;
  held(
    tx: Tx,
    groupId: Uint8Array,
    distributionId: Uint8Array,
  ): Promise<SenderKeyRecord | undefined>;
  /** Writes it, and a higher state number. */
  writeHeld(tx: Tx, record: SenderKeyRecord): Promise<void>;
}
