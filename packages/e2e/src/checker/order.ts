import { eventsOf, type HistoryEvent, type Listed } from "./history.ts";
import { finalLists, type Sent, sendsOf } from "./sends.ts";
import type { Violation } from "./violation.ts";

/** I4: FIFO per writer; what both devices hold stands in one order; a linked reply below its parent. */
export function oneOrder(history: readonly HistoryEvent[]): Violation[] {
  const sends = new Map(sendsOf(history).map((sent) => [sent.key, sent]));
  const lists = finalLists(history);
  const violations: Violation[] = [];
  for (const list of lists.values()) {
    violations.push(...writersOrder(list, sends));
    const other = lists.get(`${list.with}/${list.who}`);
    if (other !== undefined && list.who < other.who) violations.push(...sameOrder(list, other));
  }
  // A reply never shows above its parent, not even for a while.
  for (const list of eventsOf(history, "list")) violations.push(...repliesBelow(list));
  return violations;
}

type List = HistoryEvent & { readonly f: "list" };

/** Only where the one was saved before the other was begun does the writer know which is first. */
function writersOrder(list: List, sends: ReadonlyMap<string, Sent>): Violation[] {
  const violations: Violation[] = [];
  for (const writer of [list.who, list.with]) {
    let latest: Sent | undefined;
    for (const { from, key } of list.messages) {
      const sent = from === writer ? sends.get(key) : undefined;
      if (sent === undefined) continue; // What nobody sent is I3's.
      if (latest !== undefined && sent.endedSeq < latest.invokedSeq)
        violations.push(
          violation(list, `${sent.key} was sent before ${latest.key} and stands below it`, [
            sent.key,
            latest.key,
          ]),
        );
      if (latest === undefined || sent.invokedSeq > latest.invokedSeq) latest = sent;
    }
  }
  return violations;
}

function sameOrder(a: List, b: List): Violation[] {
  const place = new Map(b.messages.map(({ messageId }, index) => [messageId, index]));
  const shared = a.messages.filter(({ messageId }) => place.has(messageId));
  for (let i = 1; i < shared.length; i++) {
    const [above, below] = [shared[i - 1] as Listed, shared[i] as Listed];
    if ((place.get(above.messageId) as number) > (place.get(below.messageId) as number))
      return [
        violation(
          a,
          `${above.key} stands above ${below.key} on ${a.who}'s device and below it on ${b.who}'s`,
          [above.key, below.key],
        ),
      ];
  }
  return [];
}

function repliesBelow(list: List): Violation[] {
  const place = new Map(list.messages.map(({ messageId }, index) => [messageId, index]));
  return list.messages.flatMap(({ key, replyTo }, index) => {
    const parent = replyTo === undefined ? undefined : place.get(replyTo);
    if (parent === undefined || parent < index) return [];
    return [violation(list, `the reply ${key} stands above its parent`, [key])];
  });
}

function violation(list: List, what: string, about: readonly string[]): Violation {
  return {
    invariant: "I4",
    what: `${what} (${list.who}'s conversation with ${list.with})`,
    seq: list.seq,
    about,
  };
}
