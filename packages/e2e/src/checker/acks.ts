import type { HistoryEvent } from "./history.ts";
import type { Violation } from "./violation.ts";

/**
 * I6: a device's ack never passes what it has durably stored, and no row leaves a mailbox before that ack.
 * An ack is honest where a commit that was begun after the newest envelope that it covers had come has ended.
 */
export function noSkip(history: readonly HistoryEvent[]): Violation[] {
  const wires = new Map<string, Wire>();
  const commits = new Map<string, Commits>();
  const acked = new Map<string, Set<string>>();
  const violations: Violation[] = [];
  for (const event of history) {
    if (event.f === "deliver") wireOf(wires, event.connection).delivered(event);
    else if (event.f === "commit") commitsOf(commits, event.who).add(event);
    else if (event.f === "ack") {
      const wire = wireOf(wires, event.connection);
      const problem = ackProblem(event.upTo, wire, commitsOf(commits, event.who));
      if (problem !== undefined)
        violations.push({
          invariant: "I6",
          what: `${event.who} acknowledged up to ${event.upTo} on ${event.connection}: ${problem}`,
          seq: event.seq,
          about: [...(wire.envelopes.get(event.upTo) ?? []), event.connection],
        });
    } else if (event.f === "acked") {
      const { device, envelopes } = wireOf(wires, event.connection);
      const those = acked.get(device) ?? new Set();
      acked.set(device, those);
      for (const [ordinal, ids] of envelopes)
        if (ordinal <= event.upTo) for (const id of ids) those.add(id);
    } else if (event.f === "remove") {
      for (const envelope of event.envelopes)
        if (acked.get(event.mailbox)?.has(envelope) !== true)
          violations.push({
            invariant: "I6",
            what: `a row left ${event.mailbox}'s mailbox before its device had acknowledged it`,
            seq: event.seq,
            about: [envelope],
          });
    }
  }
  return violations;
}

/** What came on one connection, by ordinal. */
class Wire {
  device = "";
  highest = 0;
  readonly envelopes = new Map<number, string[]>();
  readonly cameAt = new Map<number, number>();

  delivered(event: HistoryEvent & { f: "deliver" }): void {
    this.device = event.who;
    event.envelopes.forEach((id, index) => {
      const ordinal = event.first + index;
      this.envelopes.set(ordinal, [id]);
      this.cameAt.set(ordinal, event.seq);
      this.highest = Math.max(this.highest, ordinal);
    });
  }
}

class Commits {
  /** When the newest commit that has ended was begun. */
  newestEndedBegan = -1;
  readonly #began = new Map<number, number>();

  add({ type, op, seq }: HistoryEvent & { f: "commit" }): void {
    if (type === "invoke") this.#began.set(op, seq);
    else this.newestEndedBegan = Math.max(this.newestEndedBegan, this.#began.get(op) ?? -1);
  }
}

function ackProblem(upTo: number, wire: Wire, { newestEndedBegan }: Commits): string | undefined {
  if (upTo > wire.highest) return `only ${wire.highest} had come`;
  if (newestEndedBegan < (wire.cameAt.get(upTo) as number)) return "no commit was done since";
  return undefined;
}

function wireOf(wires: Map<string, Wire>, connection: string): Wire {
  const wire = wires.get(connection) ?? new Wire();
  wires.set(connection, wire);
  return wire;
}

function commitsOf(commits: Map<string, Commits>, who: string): Commits {
  const those = commits.get(who) ?? new Commits();
  commits.set(who, those);
  return those;
}
