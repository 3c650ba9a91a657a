import type { MessengerApi } from "@parley/client";
import { whileReachable } from "../connect.ts";

/** Messages given to the outbox and not yet with the server. */
export class Outgoing {
  readonly #messenger: MessengerApi;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(messenger: MessengerApi) {
    this.#messenger = messenger;
  }

  add(messageId: string): void {
    // A refusal shows as the message's status.
    const sent: Promise<unknown> = this.#messenger
      .reached(messageId, "sent")
      .catch(() => {})
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Resolves once the server has all; fails where it cannot be reached. What is left goes out next time. */
  async settled(): Promise<void> {
    await whileReachable(this.#messenger, Promise.all(this.#underWay));
  }
}
