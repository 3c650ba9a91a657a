import { eventsOf, type HistoryEvent } from "./history.ts";
import { finalLists, sendsOf } from "./sends.ts";
import type { Violation } from "./violation.ts";

/** I12: in the end nothing is a hole: every ciphertext was decrypted, or was a repeat, or was healed. */
export function nothingUndecryptable(history: readonly HistoryEvent[]): Violation[] {
  return [...finalLists(history).values()]
    .filter(({ holes }) => holes > 0)
    .map(({ who, with: other, holes, seq }) => ({
      invariant: "I12",
      what: `${holes} entries of the conversation with ${other} are holes on ${who}'s device`,
      seq,
      about: [],
    }));
}

/** I15: after the last heal every message is read, every mailbox empty. */
export function everythingArrives(history: readonly HistoryEvent[]): Violation[] {
  const violations: Violation[] = [];
  const last = history.length - 1;
  const held = new Set(sendsOf(history).map(({ from, key }) => `${from}/${key}`));
  for (const { who, seq, messages } of finalLists(history).values())
    for (const { from, key, messageId, status } of messages)
      if (from === who && status !== "read" && status !== "failed" && held.has(`${who}/${key}`))
        violations.push({
          invariant: "I15",
          what: `${key} of ${who} is ${status} in the end`,
          seq,
          about: [key, messageId],
        });
  const waiting = new Map(eventsOf(history, "waiting").map((event) => [event.mailbox, event]));
  for (const { mailbox, envelopes } of waiting.values())
    if (envelopes > 0)
      violations.push({
        invariant: "I15",
        what: `${envelopes} envelopes wait in ${mailbox}'s mailbox in the end`,
        seq: last,
        about: [mailbox],
      });
  return violations;
}
