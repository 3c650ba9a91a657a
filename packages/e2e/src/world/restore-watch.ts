import type { HistoryEvent } from "../checker/history.ts";
import type { Counters } from "./sometimes.ts";

/** Follows what a restore takes away: accepted after the copy was taken, and not delivered before. */
export class RestoreWatch {
  readonly #counters: Counters;
  /** Message id -> when the server accepted it. */
  readonly #acceptedAt = new Map<string, number>();
  readonly #shown = new Set<string>();
  readonly #missing = new Set<string>();

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  see(event: HistoryEvent): void {
    if (event.f === "status" && event.status === "sent")
      this.#acceptedAt.set(event.messageId, event.seq);
    if (event.f === "show") {
      this.#shown.add(event.messageId);
      if (this.#missing.delete(event.messageId))
        this.#counters.count("what the copy lacked is shown in the end");
    }
  }

  restoring(copiedAtSeq: number): void {
    for (const [messageId, seq] of this.#acceptedAt)
      if (seq > copiedAtSeq && !this.#shown.has(messageId)) this.#missing.add(messageId);
  }
}
