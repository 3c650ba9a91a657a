import type { Endpoint, EndpointEvents, Network } from "../networks/network.ts";

/** As our client has it (delivery.md 6). */
const RECEIPT_INTERVAL_MS = 500;
/** Of one writer at a pace: half of what a server has under way for a connection before it says *busy*. */
const UNDER_WAY_MAX = 64;

export interface PairEvents {
  /** One came, that was to be sent then. */
  delivered(sentAt: number): void;
  failed(cause: Error): void;
}

export interface PairOptions {
  /** Messages that are not accepted yet; 0: whoever holds the pair sends them. */
  readonly window: number;
  /** The reader answers what came with a receipt, which is a message like any other. */
  readonly receipts: boolean;
}

/** One writes, the other reads, acknowledges, and says so by a receipt where wanted. */
export class Pair {
  readonly #options: PairOptions;
  #writer: Endpoint = NOBODY;
  #reader: Endpoint = NOBODY;
  #isStopped = false;
  #receiptAtMs = -RECEIPT_INTERVAL_MS;
  #receiptTimer: NodeJS.Timeout | undefined;
  /** When messages were to be sent that wait for others to be accepted. */
  readonly #due: number[] = [];

  private constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Two people of the network, both connected. */
  static async open(
    network: Network,
    [writer, reader]: readonly [number, number],
    options: PairOptions,
    { delivered, failed }: PairEvents,
  ): Promise<Pair> {
    const pair = new Pair(options);
    const silent = { accepted() {}, delivered() {}, batch() {}, failed } satisfies EndpointEvents;
    pair.#reader = await network.join(reader, writer, {
      ...silent,
      delivered,
      batch: () => {
        if (options.receipts) pair.#owesReceipt();
      },
    });
    pair.#writer = await network.join(writer, reader, {
      ...silent,
      accepted: (count) => {
        if (options.window === 0) pair.#sendDue();
        else if (!pair.#isStopped) pair.#writer.send(count);
      },
    });
    return pair;
  }

  get sent(): number {
    return this.#writer.sent;
  }

  get accepted(): number {
    return this.#writer.accepted;
  }

  get delivered(): number {
    return this.#reader.delivered;
  }

  /** That came back to the writer. */
  get receipts(): number {
    return this.#writer.delivered;
  }

  start(): void {
    if (this.#options.window > 0) this.#writer.send(this.#options.window);
  }

  /** Now, or once there is room; either way its time runs from now on. */
  sendOne(): void {
    this.#due.push(performance.now());
    this.#sendDue();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#receiptTimer);
  }

  isAtRest(): boolean {
    return (
      this.#due.length === 0 &&
      this.sent === this.accepted &&
      this.sent === this.delivered &&
      this.#reader.sent === this.#reader.accepted &&
      this.#reader.sent === this.receipts
    );
  }

  close(): void {
    this.stop();
    this.#writer.close();
    this.#reader.close();
  }

  #sendDue(): void {
    while (this.#due.length > 0 && this.sent - this.accepted < UNDER_WAY_MAX)
      this.#writer.send(1, this.#due.shift());
  }

  #owesReceipt(): void {
    if (this.#receiptTimer !== undefined || this.#isStopped) return;
    const inMs = this.#receiptAtMs + RECEIPT_INTERVAL_MS - performance.now();
    if (inMs <= 0) this.#sendReceipt();
    else this.#receiptTimer = setTimeout(() => this.#sendReceipt(), inMs);
  }

  #sendReceipt(): void {
    this.#receiptTimer = undefined;
    this.#receiptAtMs = performance.now();
    this.#reader.send(1);
  }
}

/** Until both are connected. */
const NOBODY: Endpoint = { sent: 0, accepted: 0, delivered: 0, send() {}, close() {} };
