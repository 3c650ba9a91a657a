import type { TypingState } from "@parley/client";
import { DOES, type LiveEvent, whereabouts } from "../live.ts";

/** What the other one does now, for the row above the input. */
export class StatusRow {
  readonly #handle: string;
  #typing: TypingState = "stopped";
  #presence: Extract<LiveEvent, { type: "presence" }> | undefined;

  constructor(handle: string) {
    this.#handle = handle;
  }

  /** False: it is of somebody else. */
  take(event: LiveEvent, accountId: string): boolean {
    if (event.type === "typing") {
      if (event.conversation !== accountId) return false;
      this.#typing = event.state;
      return true;
    }
    if (event.accountId !== accountId) return false;
    this.#presence = event;
    return true;
  }

  /** Undefined where nothing is known. */
  get text(): string | undefined {
    if (this.#typing !== "stopped") return `${this.#handle} ${DOES[this.#typing]}`;
    const presence = this.#presence;
    const isKnown = presence?.online === true || presence?.lastSeenMs !== undefined;
    return presence && isKnown ? `${this.#handle} ${whereabouts(presence)}` : undefined;
  }
}
