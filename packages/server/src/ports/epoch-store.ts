import type { Mark } from "./mark.ts";

/** What the epoch before this one accepted above `floor` may be lost. */
export interface ServerEpoch {
  /** 16 random bytes. */
  readonly id: Uint8Array;
  readonly floor: Mark;
}

/** The stretches of this server's life without loss (delivery.md 5). */
export interface EpochStore {
  /** The present one. Its row is durable before anything is accepted in it. */
  current(): ServerEpoch;

  /**
   * From that one to the present one, in order; every one that is kept where it is unknown, at most 1,000.
   * An epoch is kept for 90 days after the next one began.
   */
  since(id: Uint8Array): Promise<readonly ServerEpoch[]>;
}
