import {
  CloseCode,
  ErrorCode,
  encodeDelivery,
  encodeServerFrame,
  ProtocolError,
  SERVER_FRAME_BYTES_MAX,
} from "@parley/protocol";
import { allocate } from "../lib/bytes.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { Log } from "../ports/log.ts";
import type {
  MailboxReader,
  MailboxRow,
  MailboxStore,
  StoredEnvelope,
} from "../ports/mailbox-store.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { PushSender } from "../ports/push-sender.ts";
import type { Outlet } from "./outlet.ts";
import { SharedTimer, type Timed } from "./shared-timer.ts";

export interface StreamParts {
  readonly mailboxes: MailboxStore;
  readonly push: PushSender;
  /** Runs out for a stream whose deliveries are not acknowledged within ACK_EXPECTED_MS. */
  readonly acks: SharedTimer;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface FlowWindow {
  readonly envelopes: number;
  readonly bytes: number;
}

/** Delivered, and not acknowledged: its bytes are the other side's, and the store's. */
interface Unacked {
  readonly row: MailboxRow;
  readonly size: number;
  readonly timing: StoredEnvelope["timing"];
}

const PAGE_ENVELOPES = 64;
/** Room for the head of a delivery, which is below 32 bytes. */
const DELIVERY_BYTES_MAX = SERVER_FRAME_BYTES_MAX - 32;
/**
 * At most this much is under way to one client, whatever window it asked for: it bounds what a reader that
 * takes nothing costs, and at a round trip of 100 ms it still lets 10 MB/s through.
 */
const IN_FLIGHT_BYTES_MAX = 1024 * 1024;
/** A connection that takes an envelope and says nothing for this long may be dead: push as well. */
export const ACK_EXPECTED_MS = 10_000;
/** Each is a few bytes; a client needs one at a time. */
const DRAINS_MAX = 64;

/**
 * What one connected device is given: everything that is not acknowledged, from the start; *drained*; then
 * what comes. A wake-up only sets "read again", so that it does not matter when it comes, or how often.
 */
export class MailboxStream implements Timed {
  readonly #parts: StreamParts;
  readonly #mailbox: DeviceAddress;
  readonly #outlet: Outlet;
  readonly #window: FlowWindow;
  readonly #reader: MailboxReader;
  /** Read, and not delivered yet. */
  #page: readonly StoredEnvelope[] = [];
  #unacked: Unacked[] = [];
  #unackedBytes = 0;
  #nextOrdinal = 1n;
  /** Requests that wait for the end of what was accepted before them; 0: the one of connecting. */
  #drains: number[] = [0];
  #readAgain = false;
  /** Since when the device has been given everything at once, by the clock of the metrics. */
  #caughtUpAt = Number.POSITIVE_INFINITY;
  #isRunning = false;
  #isStopped = false;
  /** Once for each time that an acknowledgement does not come. */
  #hasPushed = false;
  round: Set<Timed> | undefined;

  constructor(parts: StreamParts, mailbox: DeviceAddress, outlet: Outlet, window: FlowWindow) {
    this.#parts = parts;
    this.#mailbox = mailbox;
    this.#outlet = outlet;
    this.#window = { ...window, bytes: Math.min(window.bytes, IN_FLIGHT_BYTES_MAX) };
    this.#reader = parts.mailboxes.open(mailbox);
  }

  start(): void {
    this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    SharedTimer.stop(this);
  }

  /** There may be more. */
  wake(): void {
    this.#readAgain = true;
    this.#run();
  }

  /** The way to the client takes more. */
  drained(): void {
    if (this.#page.length > 0) this.#run();
  }

  /** Answers behind everything that was accepted before this call. */
  drain(requestId: number): void {
    if (this.#drains.length >= DRAINS_MAX)
      throw new ProtocolError(ErrorCode.BUSY, "too many drains at once");
    this.#drains.push(requestId);
    this.#run();
  }

  /** The device has everything up to there. The promise resolves once the store has dropped it. */
  ack(upToOrdinal: bigint): Promise<void> {
    if (upToOrdinal >= this.#nextOrdinal)
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, "an ack beyond what was delivered");
    const firstUnacked = this.#nextOrdinal - BigInt(this.#unacked.length);
    if (upToOrdinal < firstUnacked) return Promise.resolve();
    const acked = this.#unacked.splice(0, Number(upToOrdinal - firstUnacked) + 1);
    for (const { size, timing } of acked) {
      this.#unackedBytes -= size;
      timing?.trace?.acked();
    }
    SharedTimer.stop(this);
    this.#hasPushed = false;
    this.#expectAck();
    const removed = this.#parts.mailboxes.remove(
      this.#mailbox,
      acked.map(({ row }) => row),
    );
    this.#run();
    return removed;
  }

  #run(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#pump().catch((cause: unknown) => {
      this.#parts.log.warn({ err: cause }, "mailbox-not-read");
      this.#outlet.end(CloseCode.INTERNAL, "mailbox");
    });
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#isStopped && this.#deliverPage()) {
        // Only questions that were asked before this read are answered by its end.
        const asked = this.#drains.splice(0);
        this.#readAgain = false;
        this.#page = await this.#reader.next(PAGE_ENVELOPES);
        if (this.#page.length > 0) this.#drains.unshift(...asked);
        else {
          if (this.#caughtUpAt === Number.POSITIVE_INFINITY)
            this.#caughtUpAt = this.#parts.metrics.now();
          for (const requestId of asked) this.#sendDrained(requestId);
          if (!this.#readAgain && this.#drains.length === 0) return;
        }
      }
    } finally {
      // Here, in the same turn as the decision to end, or a wake-up between the two would be lost.
      this.#isRunning = false;
    }
  }

  /** False where the window or the way is full and something is left: the next ack goes on. */
  #deliverPage(): boolean {
    while (this.#page.length > 0) {
      if (this.#outlet.isFull()) return false;
      const count = this.#fitting();
      if (count === 0) return false;
      const envelopes = this.#page.slice(0, count);
      this.#page = this.#page.slice(count);
      this.#outlet.send(
        encodeDelivery(
          this.#nextOrdinal,
          envelopes.map(({ bytes }) => bytes),
          allocate,
        ),
      );
      if (this.#isStopped) return false;
      this.#measure(envelopes);
      this.#nextOrdinal += BigInt(count);
      for (const { row, bytes, timing } of envelopes) {
        this.#unacked.push({ row, size: bytes.length, timing });
        this.#unackedBytes += bytes.length;
      }
      this.#expectAck();
    }
    return true;
  }

  #measure(envelopes: readonly StoredEnvelope[]): void {
    const { metrics } = this.#parts;
    metrics.delivered(envelopes.length);
    const now = metrics.now();
    for (const { timing } of envelopes) {
      if (timing === undefined) continue;
      timing.trace?.written();
      // What came before was not late: the device was.
      if (timing.receivedAt >= this.#caughtUpAt) metrics.deliveryLatency(now - timing.receivedAt);
    }
  }

  #fitting(): number {
    const room = this.#window.envelopes - this.#unacked.length;
    let bytes = 0;
    let count = 0;
    for (const envelope of this.#page) {
      bytes += envelope.bytes.length;
      if (count >= room || bytes > DELIVERY_BYTES_MAX) break;
      if (this.#unackedBytes + bytes > this.#window.bytes) break;
      count++;
    }
    return count;
  }

  #sendDrained(requestId: number): void {
    if (this.#isStopped) return;
    this.#outlet.send(encodeServerFrame({ requestId, response: { case: "drained", value: {} } }));
  }

  /** An acknowledgement did not come. */
  due(): void {
    this.#hasPushed = true;
    this.#outlet.probe();
    this.#parts.push.push(this.#mailbox).catch((cause: unknown) => {
      this.#parts.log.warn({ err: cause }, "push-failed");
    });
  }

  #expectAck(): void {
    if (this.round !== undefined || this.#hasPushed) return;
    if (this.#unacked.length > 0 && !this.#isStopped) this.#parts.acks.start(this);
  }
}
