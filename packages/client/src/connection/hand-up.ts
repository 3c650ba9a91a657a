import type { Envelope } from "@parley/protocol";
import type { Attempt } from "./attempt.ts";
import type { ConnectionHandler } from "./connection-handler.ts";
import { type InboundBatch, InboundQueue } from "./inbound-queue.ts";

export interface HandUpParts {
  readonly handler: Pick<ConnectionHandler, "delivered">;
  /** What acks tell. */
  stateNumber(): bigint;
  failed(attempt: Attempt, cause: unknown): void;
}

export interface Step {
  run(): Promise<void>;
  /** Instead, where the connection has ended before its turn. */
  dropped(): void;
}

/** Hands up what the server says, one thing after the other, over all connections of this device. */
export class HandUp {
  readonly #parts: HandUpParts;
  readonly #queue = new InboundQueue<Attempt, Step>();
  #handling: Promise<void> | undefined;

  constructor(parts: HandUpParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#handling !== undefined;
  }

  async idle(): Promise<void> {
    await this.#handling;
  }

  step(source: Attempt, step: Step): void {
    this.#queue.push({ kind: "step", source, step });
    this.#go();
  }

  mail(source: Attempt, envelopes: readonly Envelope[], firstOrdinal: bigint): void {
    for (const [index, envelope] of envelopes.entries())
      this.#queue.push({ kind: "mail", source, envelope, ordinal: firstOrdinal + BigInt(index) });
    this.#go();
  }

  #go(): void {
    this.#handling ??= this.#handle().finally(() => {
      this.#handling = undefined;
    });
  }

  async #handle(): Promise<void> {
    await Promise.resolve(); // So that `#handling` is set before anything is handed up.
    for (let next = this.#queue.next(); next !== undefined; next = this.#queue.next()) {
      const { source } = next;
      if (!source.channel.alive) {
        if (next.kind === "step") next.step.dropped();
        continue;
      }
      try {
        await (next.kind === "step" ? next.step.run() : this.#deliver(next));
      } catch (cause) {
        this.#parts.failed(source, cause);
      }
    }
  }

  async #deliver({ source, envelopes, lastOrdinal }: InboundBatch<Attempt>): Promise<void> {
    const ack = () =>
      source.channel.tell({
        case: "ack",
        value: { upToOrdinal: lastOrdinal, stateNumber: this.#parts.stateNumber() },
      });
    await this.#parts.handler.delivered({ envelopes, ack });
  }
}
