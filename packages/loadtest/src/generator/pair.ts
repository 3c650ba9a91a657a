import type { Endpoint, EndpointEvents, Network } from "../networks/network.ts";

/** As our client has it (delivery.md 6). */
const RECEIPT_INTERVAL_MS = 500;

export interface PairEvents {
  delivered(ms: number): void;
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
      delivered: (sentAt) => delivered(performance.now() - sentAt),
      batch: () => {
        if (options.receipts) pair.#owesReceipt();
      },
    });
    pair.#writer = await network.join(writer, reader, {
      ...silent,
      accepted: (count) => {
        if (options.window > 0 && !pair.#isStopped) pair.#writer.send(count);
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

  sendOne(): void {
    this.#writer.send(1);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#receiptTimer);
  }

  isAtRest(): boolean {
    return (
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
