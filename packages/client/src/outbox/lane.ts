import type { SendMessageRequest } from "@parley/protocol";
import type { OutboxItem } from "../gen/parley/store/v1/conversation_pb.ts";

/** One send under way, as the scheduler has it. */
export interface Sending {
  readonly key: string;
  readonly item: OutboxItem;
  /** Undefined: to be encrypted, or encrypted anew, first. */
  request: SendMessageRequest | undefined;
  isInFlight: boolean;
  /** Re-offers are spread over time. */
  readonly notBeforeMs: number;
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
  notBeforeMs = 0;
  #backOffMs = 0;

  constructor(account: string) {
    this.account = account;
  }

  remove(sending: Sending): void {
    const index = this.sendings.indexOf(sending);
    if (index >= 0) this.sendings.splice(index, 1);
  }

  backOff(nowMs: number, leastMs: number): void {
    if (this.notBeforeMs > nowMs) return; // Of several that were refused at once, one counts.
    this.#backOffMs = Math.min(Math.max(leastMs, 2 * this.#backOffMs), BACK_OFF_MS_MAX);
    this.notBeforeMs = nowMs + this.#backOffMs;
  }

  succeeded(): void {
    this.#backOffMs = 0;
  }

  isOpen(nowMs: number): boolean {
    return !this.held && this.notBeforeMs <= nowMs;
  }

  /** What may go now, in order: nothing overtakes an item that must be encrypted first. */
  next(nowMs: number): Sending | undefined {
    if (!this.isOpen(nowMs)) return undefined;
    for (const sending of this.sendings) {
      if (sending.notBeforeMs > nowMs || sending.isInFlight) continue;
      return sending.request === undefined ? undefined : sending;
    }
    return undefined;
  }

  /** What must be encrypted next, in order. */
  unsealed(nowMs: number, limit: number): Sending[] {
    if (!this.isOpen(nowMs)) return [];
    return this.sendings
      .filter(({ request, notBeforeMs }) => request === undefined && notBeforeMs <= nowMs)
      .slice(0, limit);
  }

  /** How many are made and not accepted; those that are spread over time do not count. */
  underWay(nowMs: number): number {
    return this.sendings.filter(({ notBeforeMs }) => notBeforeMs <= nowMs).length;
  }

  /** When the next may go that may not now. */
  nextAtMs(nowMs: number): number {
    const times = [this.notBeforeMs, ...this.sendings.map(({ notBeforeMs }) => notBeforeMs)];
    return Math.min(...times.filter((atMs) => atMs > nowMs));
  }
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  #held = false;

  /** This account's own list is false or forked: nothing goes anywhere. */
  holdAll(): void {
    this.#held = true;
    for (const lane of this) lane.held = true;
  }

  of(account: string): Lane {
    let lane = this.#lanes.get(account);
    if (lane === undefined) {
      lane = new Lane(account);
      lane.held = this.#held;
      this.#lanes.set(account, lane);
    }
    return lane;
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#lanes.values();
  }
}
