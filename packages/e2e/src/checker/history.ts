import type { MessageStatus } from "@parley/client";

/**
 * What happened in a world, as its programs and its wires saw it, in order. `who` is the person whose device
 * it is, or "server". A text is named by its key, which stands in it and is unique in the world.
 */
export type HistoryEvent = Happening & {
  readonly seq: number;
  /** Milliseconds since the world began. */
  readonly at: number;
  readonly who: string;
};

export interface Seen {
  readonly messageId: string;
  readonly key: string;
  readonly from: string;
  /** Of the whole text. */
  readonly hash: string;
  readonly replyTo: string | undefined;
}

export interface Listed extends Seen {
  /** Of own messages. */
  readonly status: MessageStatus | undefined;
}

/** A send is known by `op`: its message id is known only once it is saved. */
export type Happening =
  | {
      readonly f: "send";
      readonly type: "invoke";
      readonly op: number;
      readonly to: string;
      readonly key: string;
      readonly hash: string;
      readonly replyTo: string | undefined;
    }
  | { readonly f: "send"; readonly type: "ok"; readonly op: number; readonly messageId: string }
  /** Fail: definitely not taken. Info: the device was killed meanwhile, either may be the case. */
  | {
      readonly f: "send";
      readonly type: "fail" | "info";
      readonly op: number;
      readonly cause: string;
    }
  /** A new status of an own message, as the program told it. */
  | { readonly f: "status"; readonly messageId: string; readonly status: MessageStatus }
  /** The program announced a message. */
  | ({ readonly f: "show"; readonly with: string } & Seen)
  /** The person has seen them. */
  | { readonly f: "read"; readonly messageIds: readonly string[] }
  /** A conversation as the program shows it. `asked`: the seq before the question. */
  | {
      readonly f: "list";
      readonly with: string;
      readonly asked: number;
      readonly messages: readonly Listed[];
      readonly holes: number;
      /** After everything healed and drained. */
      readonly final: boolean;
    }
  /** Envelopes that came to the device, on a connection; the first has that ordinal. Sums: of their ciphertexts. */
  | {
      readonly f: "deliver";
      readonly connection: string;
      readonly first: number;
      readonly envelopes: readonly string[];
      readonly sums?: readonly (number | undefined)[];
    }
  | { readonly f: "commit"; readonly type: "invoke" | "ok"; readonly op: number }
  /** The device sent an ack. */
  | { readonly f: "ack"; readonly connection: string; readonly upTo: number }
  /** By the server: an ack came to it; rows were taken out of a mailbox. */
  | { readonly f: "acked"; readonly connection: string; readonly upTo: number }
  | { readonly f: "remove"; readonly mailbox: string; readonly envelopes: readonly string[] }
  /** By the server's store: these are durable. */
  | { readonly f: "stored"; readonly envelopes: readonly string[] }
  /** By the server: it says *accepted* of these, in the commit with that mark. */
  | { readonly f: "accepted"; readonly envelopes: readonly string[]; readonly mark: number }
  /** By the server's disk: the commit with that mark is durable. */
  | { readonly f: "durable"; readonly mark: number }
  /** The device handed these to the server; sums of their ciphertexts. */
  | {
      readonly f: "offered";
      readonly envelopes: readonly string[];
      readonly sums: readonly number[];
    }
  /** By the server, at the end: what still waits. */
  | { readonly f: "waiting"; readonly mailbox: string; readonly envelopes: number }
  | { readonly f: "alarm"; readonly kind: string; readonly about: string }
  | { readonly f: "fault"; readonly fault: string; readonly detail: string }
  | { readonly f: "start"; readonly incarnation: number };

export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => number;
  readonly #listener: ((event: HistoryEvent) => void) | undefined;

  constructor(now: () => number, listener?: (event: HistoryEvent) => void) {
    this.#now = now;
    this.#listener = listener;
  }

  add(who: string, happening: Happening): HistoryEvent {
    const event = { seq: this.events.length, at: this.#now(), who, ...happening };
    this.events.push(event);
    this.#listener?.(event);
    return event;
  }
}

type Of<F extends Happening["f"]> = HistoryEvent & { readonly f: F };

export function eventsOf<F extends Happening["f"]>(
  history: readonly HistoryEvent[],
  f: F,
): Of<F>[] {
  return history.filter((event): event is Of<F> => event.f === f);
}

export function describe(event: HistoryEvent): string {
  const { seq, at, who, f, ...rest } = event;
  return `${String(seq).padStart(6)} ${(at / 1000).toFixed(3).padStart(9)}s ${who.padEnd(7)} ${f} ${JSON.stringify(rest)}`;
}
