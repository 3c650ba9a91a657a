import type { MessageStatus } from "@parley/client";
import type { HistoryEvent } from "./history.ts";
import { sendsOf } from "./sends.ts";
import type { Violation } from "./violation.ts";

const RANK = { queued: 0, failed: 0, sent: 1, delivered: 2, read: 3 } satisfies Readonly<
  Record<MessageStatus, number>
>;

/**
 * I7: queued < sent < delivered < read, never backwards, also across restarts; delivered only once the
 * recipient holds it, read only once it was shown there; nothing of what was never sent.
 */
export function honestReceipts(history: readonly HistoryEvent[]): Violation[] {
  const state = new Receipts(history);
  for (const event of history) state.take(event);
  return state.violations;
}

class Receipts {
  readonly violations: Violation[] = [];
  readonly #keys = new Map<string, { readonly key: string; readonly to: string }>();
  /** Under `${writer}/${messageId}`: its statuses with the seq of each. */
  readonly #statuses = new Map<string, { status: MessageStatus; seq: number }[]>();
  readonly #held = new Set<string>();
  readonly #read = new Set<string>();

  constructor(history: readonly HistoryEvent[]) {
    const byKey = new Map(sendsOf(history).map((sent) => [sent.key, sent]));
    for (const { from, to, key, messageId } of byKey.values())
      if (messageId !== undefined) this.#keys.set(`${from}/${messageId}`, { key, to });
    // A message whose sender was killed before it learnt the id shows it in a list afterwards.
    for (const event of history)
      if (event.f === "list")
        for (const { from, key, messageId } of event.messages) {
          const sent = byKey.get(key);
          if (from === event.who && sent !== undefined)
            this.#keys.set(`${from}/${messageId}`, { key, to: sent.to });
        }
  }

  take(event: HistoryEvent): void {
    const { who, seq } = event;
    if (event.f === "show") this.#held.add(`${who}/${event.messageId}`);
    else if (event.f === "read")
      for (const messageId of event.messageIds) this.#read.add(`${who}/${messageId}`);
    else if (event.f === "status")
      this.#status({ who, seq, asked: seq, messageId: event.messageId, status: event.status });
    else if (event.f === "list")
      for (const { messageId, from, status } of event.messages) {
        if (from !== who) this.#held.add(`${who}/${messageId}`);
        else if (status !== undefined)
          this.#status({ who, seq, asked: event.asked, messageId, status });
      }
  }

  #status(told: {
    who: string;
    seq: number;
    /** What was told before this must not be higher. */
    asked: number;
    messageId: string;
    status: MessageStatus;
  }): void {
    const { who, seq, asked, messageId, status } = told;
    const name = `${who}/${messageId}`;
    const message = this.#keys.get(name);
    if (message === undefined) {
      this.#refuse(seq, `${who} has a status for a message that it never sent`, [messageId]);
      return;
    }
    const about = [message.key, messageId];
    const before = this.#statuses.get(name) ?? [];
    this.#statuses.set(name, before);
    for (const earlier of before)
      if (earlier.seq < asked && RANK[earlier.status] > RANK[status])
        this.#refuse(seq, `${message.key} goes from ${earlier.status} to ${status}`, about);
    before.push({ status, seq });
    if (RANK[status] >= RANK.delivered && !this.#held.has(`${message.to}/${messageId}`))
      this.#refuse(seq, `${message.key} is ${status}, and ${message.to} does not hold it`, about);
    if (status === "read" && !this.#read.has(`${message.to}/${messageId}`))
      this.#refuse(seq, `${message.key} is read, and ${message.to} has not seen it`, about);
  }

  #refuse(seq: number, what: string, about: readonly string[]): void {
    this.violations.push({ invariant: "I7", what, seq, about });
  }
}
