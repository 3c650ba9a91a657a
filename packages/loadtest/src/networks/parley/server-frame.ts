import { decodeServerFrame } from "@parley/protocol";

// Tags of the schema (field number << 3 | wire type); a test holds them against the generated codec.
const REQUEST_ID = (1 << 3) | 0;
const SEND_MESSAGE = (5 << 3) | 2;
const DELIVER = (41 << 3) | 2;
const ACCEPTED = (1 << 3) | 2;
const FIRST_ORDINAL = (1 << 3) | 0;
const ENVELOPES = (2 << 3) | 2;
const CIPHERTEXT = (5 << 3) | 2;

export interface OnServerFrame {
  /** A message was taken. */
  accepted(): void;
  /** An envelope came: its ciphertext begins there. */
  envelope(bytes: Buffer, ciphertextStart: number): void;
  /** Behind the envelopes of one delivery: the ordinal of the last. */
  delivered(lastOrdinal: number): void;
  /** Anything else, decoded: an error, drained, what the server says of itself. */
  other(frame: ReturnType<typeof decodeServerFrame>): void;
}

/**
 * Looks at a frame of the hot path without decoding it: a load generator that decodes everything costs as much
 * as the server.
 */
export class ServerFrameScan {
  readonly #on: OnServerFrame;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(on: OnServerFrame) {
    this.#on = on;
  }

  scan(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    let tag = this.#varint();
    if (tag === REQUEST_ID) {
      this.#varint();
      tag = this.#varint();
    }
    const length = this.#varint();
    const isWhole = this.#at + length === end;
    if (tag === SEND_MESSAGE && isWhole && this.#varint() === ACCEPTED) this.#on.accepted();
    else if (tag === DELIVER && isWhole) this.#deliver(end);
    else this.#on.other(decodeServerFrame(Uint8Array.from(bytes.subarray(start, end))));
  }

  #deliver(end: number): void {
    if (this.#varint() !== FIRST_ORDINAL) throw new Error("a delivery without an ordinal");
    let ordinal = this.#varint() - 1;
    while (this.#at < end) {
      if (this.#varint() !== ENVELOPES) throw new Error("a delivery with something new");
      const length = this.#varint();
      const next = this.#at + length;
      this.#toCiphertext(next);
      this.#on.envelope(this.#bytes, this.#at);
      this.#at = next;
      ordinal++;
    }
    this.#on.delivered(ordinal);
  }

  #toCiphertext(end: number): void {
    while (this.#at < end) {
      const tag = this.#varint();
      const value = this.#varint();
      if (tag === CIPHERTEXT) return;
      if ((tag & 7) === 2) this.#at += value;
    }
    throw new Error("an envelope without a ciphertext");
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
    }
    return value;
  }
}
