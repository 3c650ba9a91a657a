import type { AccountHead, Envelope, PresenceChanged, Welcome } from "@parley/protocol";

/**
 * What a Connection hands up. `welcome`, `delivered` and `drained` are called one after the other, each
 * when the promise of the one before has resolved: mail waits on the server meanwhile (back-pressure). They
 * may make requests of the same connection: answers do not stand in this queue. They may reject with
 * ConnectionLostError or ProtocolError: the connection is then dropped and made anew. Any other rejection
 * is fatal.
 */
export interface ConnectionHandler {
  /**
   * Logged in; nothing has been delivered yet. `rolledBack`: the server saw a higher state number than this
   * device has; sessions have been reset already, and chains are to be begun anew (trust.md 7).
   */
  welcome(welcome: Welcome, rolledBack: boolean): Promise<void>;
  delivered(batch: DeliveredBatch): Promise<void>;
  /** Everything that waited at login has been handled. */
  drained(): Promise<void>;
  /** A live frame. May be dropped. */
  live(envelope: Envelope): void;
  accountChainMoved(ownHead: AccountHead): void;
  mailboxHasRoom(): void;
  presenceChanged(changed: PresenceChanged): void;
}

/** At most 256 envelopes and about 1 MiB: what arrived while the batch before was handled. */
export interface DeliveredBatch {
  readonly envelopes: readonly Envelope[];
  /**
   * Tells the server that all of the batch is durable here, with the state number. Call it after the commit
   * that holds them, in which the state number was raised. Where the connection that brought them has ended
   * it does nothing: they come again.
   */
  ack(): void;
}
