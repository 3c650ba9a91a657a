import { concatBytes, copyOf } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { CHUNK_BYTES, CHUNK_INDEX_MAX, type Chunk } from "./erasure-code.ts";

/** Field 5 of a SignalMessage: 0x01 || epoch || index || type [|| chunk index || chunk 32]; numbers are varints. */
export interface BraidMessage {
  readonly epoch: bigint;
  /** Of the message key, in the epoch before this one. */
  readonly index: number;
  readonly payload: BraidPayload;
}

/** What a message carries of the agreement (ML-KEM Braid section 2.5). */
export type BraidPayload =
  | { readonly kind: "none" | "ct1-ack"; readonly chunk?: undefined }
  | { readonly kind: ChunkKind; readonly chunk: Chunk };

type ChunkKind = "header" | "ek" | "ek-ct1-ack" | "ct1" | "ct2";

const VERSION = 0x01;
const KINDS = ["none", "header", "ek", "ek-ct1-ack", "ct1-ack", "ct1", "ct2"] as const;
const INDEX_MAX = 0xffff_ffffn;
const UINT64_MAX = 2n ** 64n - 1n;

export function encodeBraidMessage({ epoch, index, payload }: BraidMessage): Uint8Array {
  const head = [VERSION, ...varint(epoch), ...varint(BigInt(index)), KINDS.indexOf(payload.kind)];
  const { chunk } = payload;
  if (chunk === undefined) return Uint8Array.from(head);
  return concatBytes(Uint8Array.from([...head, ...varint(BigInt(chunk.index))]), chunk.data);
}

/** Throws `malformed`. */
export function decodeBraidMessage(bytes: Uint8Array): BraidMessage {
  if (bytes[0] !== VERSION) throw malformed("another version");
  const reader = new Reader(bytes);
  const epoch = reader.varint(UINT64_MAX);
  if (epoch === 0n) throw malformed("epochs begin with 1");
  const index = Number(reader.varint(INDEX_MAX));
  const kind = KINDS[reader.byte()];
  if (kind === undefined) throw malformed("a type that is not known");
  if (kind === "none" || kind === "ct1-ack") {
    reader.end();
    return { epoch, index, payload: { kind } };
  }
  const chunkIndex = Number(reader.varint(BigInt(CHUNK_INDEX_MAX)));
  const data = reader.bytes(CHUNK_BYTES);
  reader.end();
  return { epoch, index, payload: { kind, chunk: { index: chunkIndex, data } } };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("it ends too early");
    return byte;
  }

  varint(max: bigint): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (value > max) throw malformed("a number that is too large");
      if (byte < 0x80) {
        if (byte === 0 && shift > 0n)
          throw malformed("a number that is longer than it needs to be");
        return value;
      }
    }
  }

  bytes(count: number): Uint8Array {
    const found = copyOf(this.#bytes, this.#at, this.#at + count);
    if (found.length < count) throw malformed("it ends too early");
    this.#at += count;
    return found;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed("it is longer than it should be");
  }
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

function malformed(problem: string): CryptoError {
  return new CryptoError("malformed", `a message of the post-quantum ratchet: ${problem}`);
}
