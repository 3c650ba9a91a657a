import { ErrorCode, ProtocolError } from "@parley/protocol";
import { MessengerError } from "../api.ts";
import type { AnswerOf, RequestOf } from "../connection/requests.ts";
import type { Clock } from "../ports/clock.ts";

/** A code that is not used in this time is shown anew, and who does not confirm in it has gone (trust.md 3). */
export const LINK_PATIENCE_MS = 60_000;
/** One request waits no longer than this, which is less than a request may take. */
const WAIT_MS = 20_000;

/** With a login or without one. */
export interface StepRequests {
  put(step: RequestOf<"putLinkStep">): Promise<AnswerOf<"putLinkStep">>;
  take(step: RequestOf<"takeLinkStep">): Promise<AnswerOf<"takeLinkStep">>;
}

/** The address at the server where the two sides of a linking leave each other steps. */
export class MeetingPlace {
  readonly #requests: StepRequests;
  readonly #address: Uint8Array;
  readonly #clock: Clock;

  constructor(requests: StepRequests, address: Uint8Array, clock: Clock) {
    this.#requests = requests;
    this.#address = address;
    this.#clock = clock;
  }

  async put(step: number, payload: Uint8Array): Promise<void> {
    await this.#requests.put({ address: this.#address, step, payload });
  }

  /** Rejects `link-expired` where the step does not come in time. */
  async take(step: number, patienceMs = LINK_PATIENCE_MS): Promise<Uint8Array> {
    const until = this.#clock.now() + patienceMs;
    for (;;) {
      const waitMs = Math.max(0, Math.min(WAIT_MS, until - this.#clock.now()));
      try {
        const { payload } = await this.#requests.take({ address: this.#address, step, waitMs });
        return payload;
      } catch (cause) {
        const isNotThere = cause instanceof ProtocolError && cause.code === ErrorCode.NOT_FOUND;
        if (!isNotThere) throw cause;
      }
      if (this.#clock.now() >= until)
        throw new MessengerError("link-expired", "the other device did not come in time");
    }
  }
}
