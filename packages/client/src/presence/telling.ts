import { ProtocolError } from "@parley/protocol";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import type { Clock } from "../ports/clock.ts";

export interface TellingParts {
  readonly clock: Clock;
  /** Tells the server how it is now. Rejects as a request does. */
  say(): Promise<void>;
  fatal(cause: unknown): void;
}

/** Keeps the server told of something that it forgets: after each welcome, and when it changes. */
export class Telling {
  readonly #parts: TellingParts;
  #connected = false;
  #again = false;
  #running: Promise<void> | undefined;
  #cancelRetry: () => void = () => {};

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  connected(): void {
    this.#connected = true;
    void this.tell();
  }

  disconnected(): void {
    this.#connected = false;
    this.#cancelRetry();
  }

  /** Resolves once the server has been told how it is now, or cannot be. What changes meanwhile forms the next. */
  tell(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // So that `#running` is set, and what one turn changes is told together.
    while (this.#again && this.#connected) {
      this.#again = false;
      this.#cancelRetry();
      try {
        await this.#parts.say();
      } catch (cause) {
        this.#failed(cause);
        return;
      }
    }
  }

  #failed(cause: unknown): void {
    if (cause instanceof ConnectionLostError) return; // The next welcome tells it.
    if (!(cause instanceof ProtocolError)) {
      this.#parts.fatal(cause);
      return;
    }
    // What a server does not do at all is not asked of it again.
    if (cause.retryAfterMs === undefined) return;
    this.#cancelRetry = this.#parts.clock.after(cause.retryAfterMs, () => void this.tell());
  }
}
