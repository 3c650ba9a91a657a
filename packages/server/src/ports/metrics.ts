import type { ErrorCode } from "@parley/protocol";

/** What a request came to: the code of its error, or 0 where it was answered. */
export type Outcome = ErrorCode | 0;

/** Why a durable send was not accepted: the code of its error, or the other cases of its response. */
export type SendFailure = ErrorCode | "unknown-account" | "device-list-mismatch";

/** Where a commit goes: the log of what is accepted, or the store of everything else. */
export type CommitTarget = "log" | "store";

export interface Commit {
  readonly to: CommitTarget;
  /** Pieces of work that this commit made durable. */
  readonly works: number;
  /** What was written for them. */
  readonly bytes: number;
  /** From its beginning until everything in it was durable, with its fsync. */
  readonly ms: number;
  readonly fsyncMs: number;
}

/** What is read when somebody asks, not counted. Hot: in memory and in the log only; cold: moved to the store. `storeBytes`: on the disk, with every log. */
export type Gauge =
  | "connections"
  | "sessions"
  | "bufferedBytes"
  | "hotEnvelopes"
  | "hotBytes"
  | "coldEnvelopes"
  | "storeBytes"
  | "accounts"
  | "epochs";

/** Asked at most every few seconds. */
export type GaugeReader = () => number | Promise<number>;

/**
 * What the operator sees of the server's work. Every call is cheap enough for the way of a message, throws
 * nothing, and takes nothing that tells of a person: no ids, handles, addresses.
 */
export interface Metrics {
  /** For durations only: milliseconds with fractions that never go back. 0 where nobody counts. */
  now(): number;

  connectionOpened(): void;
  /** With the code by which this server ended it; 0: the other side, or what lies between, ended it. */
  connectionClosed(closeCode: number): void;
  loggedIn(): void;
  loginRefused(): void;

  /** `kind`: the request's case in the schema. */
  handled(kind: string, outcome: Outcome): void;
  /** One message is durable, in so many mailboxes. */
  accepted(envelopes: number): void;
  sendFailed(reason: SendFailure): void;
  /** Mailboxes that were left out because they are full, or their devices away for too long. */
  skipped(mailboxes: number): void;
  /** Envelopes written to a client's socket. */
  delivered(envelopes: number): void;
  /**
   * Of one envelope, from the arrival of its send request until it was written to the recipient's socket.
   * Only where the recipient was there: what waited for a device says nothing about the server.
   */
  deliveryLatency(ms: number): void;
  /** Envelopes that a device has. */
  acked(envelopes: number): void;
  pushed(isSent: boolean): void;

  committed(commit: Commit): void;
  /** Nothing was written, such as on a full disk. */
  commitFailed(to: CommitTarget): void;
  /** A stored envelope that was not what was written: it is not served. */
  damaged(envelopes: number): void;

  /** A limit, by its name in the settings, refused something, or would have: see dry run. */
  refused(limit: string, isDryRun: boolean): void;

  /** How to read a gauge. At most one reader of each: a second one replaces the first. */
  gauge(gauge: Gauge, read: GaugeReader): void;
}

const nothing = (): void => undefined;

/** Nobody counts. */
export const NO_METRICS: Metrics = {
  now: () => 0,
  connectionOpened: nothing,
  connectionClosed: nothing,
  loggedIn: nothing,
  loginRefused: nothing,
  handled: nothing,
  accepted: nothing,
  sendFailed: nothing,
  skipped: nothing,
  delivered: nothing,
  deliveryLatency: nothing,
  acked: nothing,
  pushed: nothing,
  committed: nothing,
  commitFailed: nothing,
  damaged: nothing,
  refused: nothing,
  gauge: nothing,
};
