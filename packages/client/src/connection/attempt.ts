import { Channel, type ChannelEvents, type ChannelParts } from "./channel.ts";
import { Heartbeat } from "./heartbeat.ts";

export interface AttemptEvents extends Omit<ChannelEvents, "heard"> {
  /** Mail of it is being handled. */
  busy(): boolean;
}

/** One connection, from opening the socket to its end. */
export class Attempt {
  readonly channel: Channel;
  /** The welcome is here; mail may follow. */
  welcomed = false;
  /** And has been looked at: requests may be made. */
  loggedIn = false;
  /** The server did not know this account, which was offered to it again. */
  offeredAgain = false;
  /** Of the next row that the server delivers. */
  nextOrdinal = 1n;
  /** The server asked to be left alone for so long. */
  reconnectAfterMs = 0;
  readonly #clock: ChannelParts["clock"];
  readonly #events: AttemptEvents;
  #heartbeat: Heartbeat | undefined;

  constructor(parts: ChannelParts, events: AttemptEvents) {
    this.#clock = parts.clock;
    this.#events = events;
    this.channel = new Channel(parts, {
      challenged: events.challenged,
      told: events.told,
      heard: () => this.#heartbeat?.heard(),
      ended: (code) => {
        this.#heartbeat?.stop();
        events.ended(code);
      },
    });
  }

  /** From the welcome on; until then every step has a time-out of its own. */
  watch(dead: () => void): void {
    this.#heartbeat = new Heartbeat({
      clock: this.#clock,
      busy: this.#events.busy,
      probe: () => this.channel.ask("drain", {}, { answered: () => {}, failed: () => {} }),
      dead,
    });
  }
}
