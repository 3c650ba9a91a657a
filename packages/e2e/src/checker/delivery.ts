import { eventsOf, type HistoryEvent, type Seen } from "./history.ts";
import { finalLists, finalMessages, type Sent, sendsOf } from "./sends.ts";
import type { Violation } from "./violation.ts";

/**
 * I1: what was saved (and so surely what the server accepted) stands on both devices in the end. With one
 * device an account the signed lists never change, so "every device in the lists at send" is both.
 */
export function noLoss(history: readonly HistoryEvent[]): Violation[] {
  const lists = finalLists(history);
  const violations: Violation[] = [];
  const sends = sendsOf(history);
  for (const holder of ["from", "to"] as const)
    for (const flow of flowsOf(sends)) {
      const { from, to } = flow[0] as Sent;
      const who = holder === "from" ? from : to;
      const listed = finalMessages(lists, who, holder === "from" ? to : from);
      const held = new Set(listed.filter((seen) => seen.from === from).map(({ key }) => key));
      const due = flow.filter(({ outcome, accepted }) => outcome === "ok" || accepted);
      const lost = due.filter(({ key }) => !held.has(key));
      for (const sent of lost)
        violations.push({
          invariant: "I1",
          what: `${sent.key} (${sent.accepted ? "accepted" : "saved"}) from ${from} to ${to} is not on ${who}'s device: ${whereLost(due, lost)}`,
          seq: sent.endedSeq,
          about: about(sent),
        });
    }
  return violations;
}

/** I1, from the server's side: it says *accepted* only of what its store has said to be durable. */
export function durableFirst(history: readonly HistoryEvent[]): Violation[] {
  const stored = new Set<string>();
  const violations: Violation[] = [];
  for (const event of history) {
    if (event.f === "stored") for (const envelope of event.envelopes) stored.add(envelope);
    if (event.f !== "accepted") continue;
    for (const envelope of event.envelopes)
      if (!stored.has(envelope))
        violations.push({
          invariant: "I1",
          what: `the server accepted the envelope ${envelope} before it was durable`,
          seq: event.seq,
          about: [envelope],
        });
  }
  return violations;
}

/** The same for its disk: no commit is answered before it is written. */
export function writtenFirst(history: readonly HistoryEvent[]): Violation[] {
  let written = 0;
  const violations: Violation[] = [];
  for (const event of history) {
    // A copy that was put back brings its own marks.
    if (event.f === "fault" && event.fault === "copy put back") written = 0;
    if (event.f === "durable") written = Math.max(written, event.mark);
    if (event.f === "accepted" && event.mark > written)
      violations.push({
        invariant: "I1",
        what: `the server answered the commit ${event.mark} before the disk had it`,
        seq: event.seq,
        about: [...event.envelopes],
      });
  }
  return violations;
}

/** I3, on the wire: what comes to a device is what a device had sent, to the byte. */
export function servedAsSent(history: readonly HistoryEvent[]): Violation[] {
  const offered = new Map<string, Set<number>>();
  const violations: Violation[] = [];
  for (const event of history) {
    if (event.f === "offered")
      for (const [index, id] of event.envelopes.entries())
        offered.set(id, (offered.get(id) ?? new Set()).add(event.sums[index] as number));
    if (event.f !== "deliver") continue;
    for (const [index, id] of event.envelopes.entries()) {
      const sum = event.sums?.[index];
      if (sum === undefined || offered.get(id)?.has(sum) === true) continue;
      violations.push({
        invariant: "I3",
        what: `the envelope ${id} comes to ${event.who} as nobody had sent it`,
        seq: event.seq,
        about: [id],
      });
    }
  }
  return violations;
}

/** I2: announced at most once on a device, and listed once. */
export function noDuplicate(history: readonly HistoryEvent[]): Violation[] {
  const violations: Violation[] = [];
  const shown = new Map<string, number>();
  for (const { who, seq, messageId, key } of eventsOf(history, "show")) {
    const name = `${who}/${messageId}`;
    if (shown.has(name))
      violations.push({
        invariant: "I2",
        what: `${key} was announced twice on ${who}'s device`,
        seq,
        about: [messageId, key],
      });
    shown.set(name, seq);
  }
  for (const list of eventsOf(history, "list")) {
    const held = new Set<string>();
    for (const { messageId, key } of list.messages) {
      if (held.has(messageId) || held.has(key))
        violations.push({
          invariant: "I2",
          what: `${key} stands twice in ${list.who}'s conversation with ${list.with}`,
          seq: list.seq,
          about: [messageId, key],
        });
      held.add(messageId).add(key);
    }
  }
  return violations;
}

/** I3: nothing from nowhere, and what is unsure goes the same way on both devices. */
export function nothingFromNowhere(history: readonly HistoryEvent[]): Violation[] {
  const sends = new Map(sendsOf(history).map((sent) => [sent.key, sent]));
  const violations: Violation[] = [];
  const hold = (seen: Seen, who: string, other: string, seq: number) => {
    const what = fault(seen, sends.get(seen.key), { who, other, seq });
    if (what !== undefined)
      violations.push({ invariant: "I3", what, seq, about: [seen.messageId, seen.key] });
  };
  for (const show of eventsOf(history, "show")) hold(show, show.who, show.with, show.seq);
  for (const list of eventsOf(history, "list"))
    for (const listed of list.messages) hold(listed, list.who, list.with, list.seq);
  return [...violations, ...unsureBothWays(history)];
}

function fault(
  { key, hash, from }: Seen,
  sent: Sent | undefined,
  { who, other, seq }: { who: string; other: string; seq: number },
): string | undefined {
  if (sent === undefined || sent.invokedSeq > seq)
    return `${who} shows ${key}, which nobody had sent`;
  if (sent.hash !== hash) return `${who} shows ${key} with another text than was sent`;
  if (sent.from !== from) return `${who} shows ${key} as from ${from}, it is from ${sent.from}`;
  const [a, b] = from === who ? [who, other] : [other, who];
  if (sent.from !== a || sent.to !== b)
    return `${who} shows ${key} in the conversation with ${other}, it went from ${sent.from} to ${sent.to}`;
  if (sent.outcome === "fail" && sent.endedSeq < seq)
    return `${who} shows ${key}, whose send had failed`;
  return undefined;
}

function unsureBothWays(history: readonly HistoryEvent[]): Violation[] {
  const lists = finalLists(history);
  const violations: Violation[] = [];
  for (const sent of sendsOf(history)) {
    if (sent.outcome !== "info" || sent.accepted) continue;
    const [own, others] = (
      [
        [sent.from, sent.to],
        [sent.to, sent.from],
      ] as const
    ).map(([who, other]) => finalMessages(lists, who, other).some(({ key }) => key === sent.key));
    if (own !== others)
      violations.push({
        invariant: "I3",
        what: `${sent.key}, of which the sender's device was killed, is on ${own ? sent.from : sent.to}'s device alone`,
        seq: sent.endedSeq,
        about: about(sent),
      });
  }
  return violations;
}

function flowsOf(sends: readonly Sent[]): Sent[][] {
  const flows = new Map<string, Sent[]>();
  for (const sent of sends) {
    const name = `${sent.from}/${sent.to}`;
    flows.set(name, [...(flows.get(name) ?? []), sent]);
  }
  return [...flows.values()];
}

function whereLost(due: readonly Sent[], lost: readonly Sent[]): string {
  const isLost = due.map((sent) => lost.includes(sent));
  const first = isLost.indexOf(true);
  const last = isLost.lastIndexOf(true);
  const place =
    first === 0 && last === due.length - 1
      ? "everything"
      : first === 0
        ? "prefix"
        : last === due.length - 1
          ? "postfix"
          : "middle";
  return `${lost.length} of ${due.length} lost, ${place}`;
}

function about({ key, messageId }: Sent): string[] {
  return messageId === undefined ? [key] : [key, messageId];
}
