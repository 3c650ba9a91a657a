import type { EndpointEvents } from "./network.ts";

/** Counts of one endpoint, told on once a read. Numbers of messages have to come one after the other. */
export class Tally {
  sent = 0;
  accepted = 0;
  delivered = 0;
  readonly #events: EndpointEvents;
  #acceptedInRead = 0;
  #deliveredBefore = 0;

  constructor(events: EndpointEvents) {
    this.#events = events;
  }

  accept(count: number): void {
    this.#acceptedInRead += count;
  }

  deliver(number: number, sentAt: number): void {
    if (number !== this.delivered)
      throw new Error(`message ${number} came where ${this.delivered} was due`);
    this.delivered++;
    this.#events.delivered(sentAt);
  }

  /** The read is over; whoever counts has acknowledged what came in it. */
  read(): void {
    if (this.delivered > this.#deliveredBefore) {
      this.#deliveredBefore = this.delivered;
      this.#events.batch();
    }
    if (this.#acceptedInRead === 0) return;
    const count = this.#acceptedInRead;
    this.#acceptedInRead = 0;
    this.accepted += count;
    this.#events.accepted(count);
  }
}
