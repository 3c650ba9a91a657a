import type { MessengerApi } from "@parley/client";
import { flushed } from "./flushed.ts";

/**
 * Marks as read what was shown: once it has left this process, so that what a kill takes with it is put out
 * again. What is shown while one marking is under way forms the next.
 */
export class ReadMarks {
  readonly #messenger: MessengerApi;
  readonly #failed: (cause: unknown) => void;
  #waiting: string[] = [];
  #working: Promise<void> | undefined;

  constructor(messenger: MessengerApi, failed: (cause: unknown) => void) {
    this.#messenger = messenger;
    this.#failed = failed;
  }

  add(messageId: string): void {
    this.#waiting.push(messageId);
    this.#working ??= this.#work();
  }

  /** Resolves once none is waiting. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    await null; // What is shown in the same turn is marked together.
    try {
      while (this.#waiting.length > 0) {
        const ids = this.#waiting;
        this.#waiting = [];
        await flushed();
        await this.#messenger.markRead(ids);
      }
    } catch (cause) {
      this.#failed(cause);
    } finally {
      this.#working = undefined;
    }
  }
}
