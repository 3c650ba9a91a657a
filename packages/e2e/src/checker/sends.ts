import { eventsOf, type HistoryEvent, type Listed } from "./history.ts";

/** One message from its writer's side. */
export interface Sent {
  readonly op: number;
  readonly from: string;
  readonly to: string;
  readonly key: string;
  readonly hash: string;
  readonly replyTo: string | undefined;
  readonly invokedSeq: number;
  /** Unknown where the writer's device was killed before it answered. */
  messageId: string | undefined;
  outcome: "ok" | "fail" | "info";
  endedSeq: number;
  /** The server said that it is durable there. */
  accepted: boolean;
}

export function sendsOf(history: readonly HistoryEvent[]): Sent[] {
  const byOp = new Map<string, Sent>();
  for (const event of eventsOf(history, "send")) {
    const { who, op } = event;
    if (event.type === "invoke") {
      byOp.set(`${who}/${op}`, {
        ...{ op, from: who, to: event.to, key: event.key, hash: event.hash },
        ...{ replyTo: event.replyTo, invokedSeq: event.seq, messageId: undefined },
        ...{ outcome: "info", endedSeq: Number.POSITIVE_INFINITY, accepted: false },
      });
      continue;
    }
    const sent = byOp.get(`${who}/${op}`);
    if (sent === undefined) throw new Error(`a send that was never invoked ends: ${who}/${op}`);
    sent.outcome = event.type;
    sent.endedSeq = event.seq;
    if (event.type === "ok") sent.messageId = event.messageId;
  }
  const sends = [...byOp.values()];
  markAccepted(history, sends);
  return sends;
}

/** The last list of each conversation, under `${who}/${with}`, of those taken after heal and drain. */
export function finalLists(
  history: readonly HistoryEvent[],
): Map<string, HistoryEvent & { f: "list" }> {
  const lists = new Map<string, HistoryEvent & { f: "list" }>();
  for (const list of eventsOf(history, "list"))
    if (list.final) lists.set(`${list.who}/${list.with}`, list);
  return lists;
}

export function finalMessages(
  lists: ReadonlyMap<string, HistoryEvent & { f: "list" }>,
  who: string,
  other: string,
): readonly Listed[] {
  return lists.get(`${who}/${other}`)?.messages ?? [];
}

function markAccepted(history: readonly HistoryEvent[], sends: readonly Sent[]): void {
  const byId = new Map(sends.map((sent) => [`${sent.from}/${sent.messageId}`, sent]));
  const byKey = new Map(sends.map((sent) => [`${sent.from}/${sent.key}`, sent]));
  for (const { who, messages } of eventsOf(history, "list"))
    for (const { from, key, messageId, status } of messages) {
      const sent = from === who ? byKey.get(`${who}/${key}`) : undefined;
      if (sent === undefined) continue;
      byId.set(`${who}/${messageId}`, sent);
      if (isAccepted(status)) sent.accepted = true;
    }
  for (const { who, messageId, status } of eventsOf(history, "status")) {
    const sent = byId.get(`${who}/${messageId}`);
    if (sent !== undefined && isAccepted(status)) sent.accepted = true;
  }
}

function isAccepted(status: string | undefined): boolean {
  return status === "sent" || status === "delivered" || status === "read";
}
