import type { Clock } from "../ports/clock.ts";

const TICK_MS = 4_000;
/** Silent for 16–20 s: ask. */
const PROBE_AT_TICK = 5;
/** Silent for 24–28 s, the last 8 of them after the question: a dead connection is noticed within 30 s. */
const DEAD_AT_TICK = 7;

export interface HeartbeatParts {
  readonly clock: Clock;
  /** Asks the other side for any frame. */
  probe(): void;
  /** True: mail is being handled here, and the server may rightly wait for the ack. */
  busy(): boolean;
  dead(): void;
}

/** Notices a connection that has died without a word. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #silentTicks = 0;
  #cancel: () => void = () => {};

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#wait();
  }

  /** For every frame: cheap. */
  heard(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    this.#silentTicks = this.#parts.busy() ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks >= DEAD_AT_TICK) {
      this.#parts.dead();
    } else {
      this.#wait();
      if (this.#silentTicks === PROBE_AT_TICK) this.#parts.probe();
    }
  }

  #wait(): void {
    this.#cancel = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }
}
