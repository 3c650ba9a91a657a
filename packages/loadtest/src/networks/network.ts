/** What messages travel by: Parley's wire, or a peer's. People are numbers; a world is a set of people. */
export interface Network {
  /** Makes him, and leaves him away: what is written to him from now on waits. */
  signUp(number: number): Promise<void>;
  /** Connects him, logged in, to write to that other. Without one he is only there. */
  join(number: number, other: number | undefined, events: EndpointEvents): Promise<Endpoint>;
  /** Connects him as far as nothing is delivered yet. The call that it resolves to takes what waits for him. */
  openDrain(number: number, expected: number): Promise<() => Promise<number>>;
}

export type NetworkKind = "parley" | "xmpp" | "mqtt";

/** One end of a conversation: writes to the other end, acknowledges what comes from there, counts both. */
export interface Endpoint {
  readonly sent: number;
  /** The server said that it has them. */
  readonly accepted: number;
  readonly delivered: number;
  /** So many messages, in one write. `sentAt` is when they were to be sent, unless that is now. */
  send(count: number, sentAt?: number): void;
  /** Without a word. */
  close(): void;
}

export interface EndpointEvents {
  /** That many were accepted in one read. */
  accepted(count: number): void;
  /** One came, in its order, `performance.now()` of its sender being this. */
  delivered(sentAt: number): void;
  /** All that came in one read is acknowledged. */
  batch(): void;
  failed(cause: Error): void;
}

/** A ciphertext of a short text, as Parley makes it, in its envelope; the same on every network. */
export const ENVELOPE_BYTES = 420;
