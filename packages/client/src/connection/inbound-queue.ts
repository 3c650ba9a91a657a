import type { Envelope } from "@parley/protocol";

/** One batch is at most so many envelopes, and about so many bytes (delivery.md 9). */
export const BATCH_ENVELOPES_MAX = 256;
export const BATCH_BYTES_MAX = 1_048_576;

/** Something to do in its turn, or an envelope. `source` is the connection that brought it. */
type Inbound<Source, Step> = InboundStep<Source, Step> | InboundMail<Source>;

interface InboundStep<Source, Step> {
  readonly kind: "step";
  readonly source: Source;
  readonly step: Step;
}

interface InboundMail<Source> {
  readonly kind: "mail";
  readonly source: Source;
  readonly envelope: Envelope;
  readonly ordinal: bigint;
}

export interface InboundBatch<Source> {
  readonly kind: "batch";
  readonly source: Source;
  readonly envelopes: readonly Envelope[];
  readonly lastOrdinal: bigint;
}

/** What waits to be handed up, in the order of the wire. Mail that waits side by side is one batch. */
export class InboundQueue<Source, Step> {
  readonly #items: Inbound<Source, Step>[] = [];

  push(item: Inbound<Source, Step>): void {
    this.#items.push(item);
  }

  next(): InboundStep<Source, Step> | InboundBatch<Source> | undefined {
    const [first] = this.#items;
    if (first === undefined) return undefined;
    if (first.kind === "step") {
      this.#items.shift();
      return first;
    }
    const { source } = first;
    const mail = this.#items.splice(0, this.#batchLength(source)) as InboundMail<Source>[];
    const { ordinal: lastOrdinal } = mail.at(-1) ?? first;
    return { kind: "batch", source, envelopes: mail.map(({ envelope }) => envelope), lastOrdinal };
  }

  /** At least one, however large. */
  #batchLength(source: Source): number {
    let length = 0;
    let bytes = 0;
    for (const item of this.#items) {
      if (item.kind !== "mail" || item.source !== source || length === BATCH_ENVELOPES_MAX) break;
      bytes += item.envelope.ciphertext.length;
      if (length > 0 && bytes > BATCH_BYTES_MAX) break;
      length += 1;
    }
    return length;
  }
}
