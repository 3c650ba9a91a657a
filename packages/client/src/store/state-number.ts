import type { Transaction } from "./transaction.ts";

/**
 * The device's state number (trust.md 7): raised in every transaction that steps a ratchet or acknowledges
 * an envelope, and told to the server with each send and each ack.
 */
export interface StateNumber {
  /** What is durable: the number to tell the server. */
  readonly committed: bigint;
  raise(tx: Transaction): Promise<void>;
}
