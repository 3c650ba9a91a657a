import type { SendMessageRequest } from "@parley/protocol";
import type { OutboxItem } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Clock } from "../ports/clock.ts";

/** One send under way, as the scheduler has it. */
export interface Sending {
  readonly key: string;
  readonly item: OutboxItem;
  /** Undefined: to be encrypted, or encrypted anew, first. */
  request: SendMessageRequest | undefined;
  isInFlight: boolean;
  /** Re-offers are spread over time: not yet. */
  isHeldBack: boolean;
}

/** Back-off after retryable refusals; doubled each time, from what the server asks for. */
const BACK_OFF_MS_MAX = 60_000;

/** What goes to one account, in order, and what stands in its way. */
export class Lane {
  readonly account: string;
  readonly sendings: Sending[] = [];
  /** Lists of devices and sessions are there. */
  prepared = false;
  preparing = false;
  takingOver: Promise<void> | undefined;
  /** The account's list is false or forked: nothing goes there. */
  held = false;
  readonly #clock: Clock;
  #backOffMs = 0;
  #endRest: (() => void) | undefined;
  /** After a refusal one goes alone: sixty more would be refused with it. */
  #isTrying = false;

  constructor(account: string, clock: Clock) {
    this.account = account;
    this.#clock = clock;
  }

  remove(sending: Sending): void {
    const index = this.sendings.indexOf(sending);
    if (index >= 0) this.sendings.splice(index, 1);
  }

  /** By a timer, because clocks jump. Of several that were refused at once, one counts. */
  backOff(leastMs: number, wake: () => void): void {
    if (this.#endRest !== undefined) return;
    this.#backOffMs = Math.max(leastMs, Math.min(2 * this.#backOffMs, BACK_OFF_MS_MAX));
    this.#isTrying = true;
    this.#endRest = this.#clock.after(this.#backOffMs, () => {
      this.#endRest = undefined;
      wake();
    });
  }

  succeeded(): void {
    this.#backOffMs = 0;
    this.#isTrying = false;
  }

  /** A new connection: what was in the way may be gone. */
  endRest(): void {
    this.#endRest?.();
    this.#endRest = undefined;
  }

  get isOpen(): boolean {
    return !this.held && this.#endRest === undefined;
  }

  /**
   * What may go now, in order: nothing overtakes an item that must be encrypted first. `mayGo` is asked last,
   * because it may take of what is allowed; what it says no to is passed over.
   */
  next(mayGo: (item: OutboxItem) => boolean): Sending | undefined {
    if (!this.isOpen) return undefined;
    if (this.#isTrying && this.sendings.some(({ isInFlight }) => isInFlight)) return undefined;
    for (const sending of this.sendings) {
      if (sending.isHeldBack || sending.isInFlight) continue;
      if (sending.request === undefined) return undefined;
      if (mayGo(sending.item)) return sending;
    }
    return undefined;
  }

  /** What must be encrypted next, in order. */
  unsealed(limit: number): Sending[] {
    if (!this.isOpen) return [];
    return this.sendings
      .filter(({ request, isHeldBack }) => request === undefined && !isHeldBack)
      .slice(0, limit);
  }

  /** How many are made and not accepted; those that are spread over time do not count. */
  get underWay(): number {
    return this.sendings.filter(({ isHeldBack }) => !isHeldBack).length;
  }
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #clock: Clock;
  #held = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** This account's own list is false or forked: nothing goes anywhere. */
  holdAll(): void {
    this.#held = true;
    for (const lane of this) lane.held = true;
  }

  of(account: string): Lane {
    let lane = this.#lanes.get(account);
    if (lane === undefined) {
      lane = new Lane(account, this.#clock);
      lane.held = this.#held;
      this.#lanes.set(account, lane);
    }
    return lane;
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#lanes.values();
  }
}
