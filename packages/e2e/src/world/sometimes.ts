/**
 * What must happen in some of the worlds of a batch, or the batch has not tested it. A promise that was
 * never put to the test looks exactly like one that holds.
 */
export const SOMETIMES = [
  "a connection is cut with frames under way",
  "a connect is refused",
  "a client connects again",
  "a wake-up is lost",
  "the server is killed between two port calls",
  "the server is killed within a port call, before it",
  "the server is killed within a port call, after it",
  "the server comes back with an old copy of its folder",
  "an account that the server had lost signs up again",
  "what the copy lacked is shown in the end",
  "a send is refused because the disk is full",
  "an append is torn by a kill",
  "the mail log finds the disk full",
  "the mail log's disk fails",
  "damage in the mail log is found at the start",
  "a damaged store is refused at the start",
  "a reader's window is full",
  "a reader that takes nothing is dropped",
  "a flood within its budget is taken",
  "a flood is refused over its budget",
  "a hostile connection is closed",
  "a client is killed before its commit",
  "a client is killed after its commit, before the ack",
  "a client's commit fails",
  "a device is killed while a send is not answered",
  "a sign-up is taken up again",
  "an envelope is delivered again",
  "a welcome names more than one epoch",
  "both sides begin a session at once",
  "a one-time prekey is used",
  "a last-resort prekey is used",
  "a clock jumps",
  "a request from a stranger is accepted",
  "a reply is sent",
  "somebody is seen typing",
  "somebody is seen online",
] as const;

export type Sometimes = (typeof SOMETIMES)[number];

export class Counters {
  readonly #counts = new Map<Sometimes, number>();

  count(what: Sometimes): void {
    this.#counts.set(what, this.of(what) + 1);
  }

  of(what: Sometimes): number {
    return this.#counts.get(what) ?? 0;
  }

  add(other: Counters): void {
    for (const [what, count] of other.#counts) this.#counts.set(what, this.of(what) + count);
  }

  never(): Sometimes[] {
    return SOMETIMES.filter((what) => this.of(what) === 0);
  }

  toString(): string {
    return SOMETIMES.map((what) => `${String(this.of(what)).padStart(8)}  ${what}`).join("\n");
  }
}
