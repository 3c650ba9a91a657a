import { CloseCode } from "@parley/protocol";
import type { BlockPool } from "./block-pool.ts";
import { PartialMessage } from "./partial-message.ts";
import {
  CONTROL_BYTES_MAX,
  FIN,
  FramingError,
  isCloseCode,
  LENGTH_16,
  LENGTH_64,
  LENGTH_BITS,
  MASKED,
  OPCODE,
  OPCODE_BITS,
  RESERVED_BITS,
  STANDARD_CLOSE,
  unmask,
} from "./websocket-format.ts";

/** A frame of the longest message, cut as some proxies do, at 16 KiB, is 80: a bound on work, not on people. */
export const FRAGMENTS_MAX = 128;

export type Incoming =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  | { readonly kind: "pong" }
  /** 1005: the other side gave none. */
  | { readonly kind: "close"; readonly code: number };

const NOTHING = new Uint8Array(0);
const PONG = { kind: "pong" } as const;

interface Header {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly length: number;
  readonly key: number;
  /** Where the payload begins. */
  readonly payloadAt: number;
}

/**
 * The client's side of RFC 6455, from bytes as they come, cut anywhere, to whole messages. What it refuses, it
 * refuses at the header of the frame, before a byte of the payload is kept. Throws FramingError.
 *
 * A message that came whole in one chunk is a view of that chunk, which is unmasked in place.
 */
export class FrameReader {
  readonly #pool: BlockPool;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #message: PartialMessage | undefined;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  push(chunk: Uint8Array): void {
    const left = this.unreadBytes;
    this.#chunk = left === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  get unreadBytes(): number {
    return this.#chunk.length - this.#at;
  }

  /** Memory for a message or a frame that is not whole yet: more than 0 from its first byte on. */
  get heldBytes(): number {
    return this.unreadBytes + (this.#message === undefined ? 0 : this.#message.heldBytes);
  }

  /** The next whole message or control frame. Undefined: it needs more bytes. */
  next(messageBytesMax: number): Incoming | undefined {
    for (;;) {
      const message = this.#message;
      if (message?.isInFrame) {
        this.#at = message.fill(this.#chunk, this.#at);
        if (message.isInFrame) return this.#letChunkGo();
        if (!message.isFinal) continue;
        this.#message = undefined;
        return { kind: "message", bytes: message.finish() };
      }
      const header = this.#header(messageBytesMax);
      if (header === undefined) return this.#letChunkGo();
      if (header.opcode >= OPCODE.CLOSE) {
        if (header.payloadAt + header.length > this.#chunk.length) return this.#letChunkGo();
        return controlFrame(header.opcode, this.#payload(header));
      }
      const { isFinal, length, payloadAt } = header;
      if (message === undefined && isFinal && payloadAt + length <= this.#chunk.length)
        return { kind: "message", bytes: this.#payload(header) };
      this.#message ??= new PartialMessage(this.#pool, length);
      this.#message.begin(header);
      this.#at = payloadAt;
    }
  }

  /** What is unread waits for longer: it must not keep alive what was read of the same chunk. */
  keep(): void {
    if (this.unreadBytes < this.#chunk.buffer.byteLength) this.#letChunkGo();
  }

  /** Nothing more is read. */
  forget(): void {
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#message?.forget();
    this.#message = undefined;
  }

  /** Lets go of the chunk: a few bytes must not keep 64 KiB alive. */
  #letChunkGo(): undefined {
    const left = this.#chunk.length - this.#at;
    this.#chunk = left === 0 ? NOTHING : Uint8Array.from(this.#chunk.subarray(this.#at));
    this.#at = 0;
    return undefined;
  }

  #payload({ payloadAt: from, length, key }: Header): Uint8Array {
    const chunk = this.#chunk;
    this.#at = from + length;
    unmask({ source: chunk, from, length, target: chunk, to: from, key, phase: 0 });
    // A plain view: those of a Buffer are slow to make.
    return new Uint8Array(chunk.buffer, chunk.byteOffset + from, length);
  }

  #header(messageBytesMax: number): Header | undefined {
    const chunk = this.#chunk;
    const at = this.#at;
    const there = chunk.length - at;
    if (there < 2) return undefined;
    const first = chunk[at] as number;
    const second = chunk[at + 1] as number;
    const opcode = first & OPCODE_BITS;
    const isFinal = (first & FIN) !== 0;
    this.#check(first, second);
    const short = second & LENGTH_BITS;
    const lengthBytes = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0;
    if (there < 2 + lengthBytes) return undefined;
    const length = lengthBytes === 0 ? short : longLength(chunk, at + 2, lengthBytes);
    if (length + (this.#message?.length ?? 0) > messageBytesMax && opcode < OPCODE.CLOSE)
      throw new FramingError(STANDARD_CLOSE.TOO_LONG, `a message above ${messageBytesMax} bytes`);
    const keyAt = at + 2 + lengthBytes;
    if (chunk.length < keyAt + 4) return undefined;
    const key =
      (chunk[keyAt] as number) |
      ((chunk[keyAt + 1] as number) << 8) |
      ((chunk[keyAt + 2] as number) << 16) |
      ((chunk[keyAt + 3] as number) << 24);
    return { isFinal, opcode, length, key, payloadAt: keyAt + 4 };
  }

  #check(first: number, second: number): void {
    const opcode = first & OPCODE_BITS;
    if ((first & RESERVED_BITS) !== 0) throw broken("reserved bits are set");
    if ((second & MASKED) === 0) throw broken("a frame without a mask");
    switch (opcode) {
      case OPCODE.CONTINUATION:
        if (this.#message === undefined) throw broken("a continuation of nothing");
        if (this.#message.fragments >= FRAGMENTS_MAX)
          throw new FramingError(STANDARD_CLOSE.TOO_LONG, "too many fragments");
        return;
      case OPCODE.BINARY:
        if (this.#message !== undefined) throw broken("a message within a message");
        return;
      case OPCODE.TEXT:
        throw new FramingError(CloseCode.MALFORMED_FRAME, "frames are binary");
      case OPCODE.CLOSE:
      case OPCODE.PING:
      case OPCODE.PONG:
        if ((first & FIN) === 0) throw broken("a control frame in fragments");
        if ((second & LENGTH_BITS) > CONTROL_BYTES_MAX)
          throw broken("a control frame that is too long");
        return;
      default:
        throw broken("an unknown opcode");
    }
  }
}

function longLength(chunk: Uint8Array, at: number, byteCount: 2 | 8): number {
  if (byteCount === 2) {
    const length = ((chunk[at] as number) << 8) | (chunk[at + 1] as number);
    if (length < LENGTH_16) throw broken("a length that is not in its shortest form");
    return length;
  }
  const view = new DataView(chunk.buffer, chunk.byteOffset + at, byteCount);
  const [high, low] = [view.getUint32(0), view.getUint32(4)];
  if (high >= 0x8000_0000) throw broken("a length below zero");
  if (high === 0 && low <= 0xffff) throw broken("a length that is not in its shortest form");
  return high * 2 ** 32 + low;
}

function controlFrame(opcode: number, payload: Uint8Array): Incoming {
  if (opcode === OPCODE.PONG) return PONG;
  // A copy: it waits for its turn to be answered.
  if (opcode === OPCODE.PING) return { kind: "ping", payload: Uint8Array.from(payload) };
  if (payload.length === 0) return { kind: "close", code: STANDARD_CLOSE.NO_CODE };
  const code = ((payload[0] as number) << 8) | (payload[1] ?? 0);
  if (payload.length === 1 || !isCloseCode(code)) throw broken("not a close code");
  requireText(payload.subarray(2));
  return { kind: "close", code };
}

function requireText(reason: Uint8Array): void {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(reason);
  } catch {
    throw new FramingError(STANDARD_CLOSE.INVALID_TEXT, "a reason that is not UTF-8");
  }
}

function broken(problem: string): FramingError {
  return new FramingError(STANDARD_CLOSE.PROTOCOL_ERROR, problem);
}
