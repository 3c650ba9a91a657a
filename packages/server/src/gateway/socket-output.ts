import type { Socket } from "node:net";
import { BLOCK_BYTES, type BlockPool } from "./block-pool.ts";
import { headerBytes, joined, writeHeader } from "./frame-writer.ts";

/** What leaves in one piece, copied: one write for what one turn brings. */
const JOINED_BYTES_MAX = 16 * 1024;
/** Of what waits, at once: so that it shows whether anybody reads. */
const BLOCKS_AT_ONCE = 4;
const HEADER_BYTES_MAX = 10;

const NONE: Uint8Array[] = [];

/** What goes out on one socket: messages of this turn, and behind them what the other side has not taken. */
export class SocketOutput {
  readonly #socket: Socket;
  readonly #pool: BlockPool;
  /** Of this turn. */
  #messages: Uint8Array[] = NONE;
  #messagesBytes = 0;
  /** Framed; all but the last one are full. */
  #blocks: Uint8Array[] = NONE;
  #blocksBytes = 0;

  constructor(socket: Socket, pool: BlockPool) {
    this.#socket = socket;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#messagesBytes + this.#blocksBytes + this.#socket.writableLength;
  }

  /** All that was added has at least been given to the socket, whole: a control frame may follow. */
  get isWritten(): boolean {
    return this.#messages.length + this.#blocks.length === 0;
  }

  /** One message, not framed yet. */
  add(message: Uint8Array): void {
    if (this.#messages === NONE) this.#messages = [message];
    else this.#messages.push(message);
    this.#messagesBytes += message.length + headerBytes(message.length);
  }

  /** One message, in two pieces: it goes where what waits is kept, which spares another copy of it. */
  addPieces(head: Uint8Array, tail: Uint8Array): void {
    this.#keepMessages();
    this.#appendHeader(head.length + tail.length);
    this.#append(head);
    this.#append(tail);
  }

  /** Writes as far as the socket takes it. */
  write(): void {
    const socket = this.#socket;
    if (this.#messages.length > 0) {
      const isShort = this.#messagesBytes <= JOINED_BYTES_MAX;
      if (isShort && this.#blocks.length === 0 && !socket.writableNeedDrain) {
        socket.write(joined(this.#messages));
        this.#dropMessages();
      } else this.#keepMessages();
    }
    while (this.#blocks.length > 0 && !socket.writableNeedDrain) this.#writeBlocks();
  }

  /** Of a socket that has ended. */
  forget(): void {
    for (const block of this.#blocks) this.#pool.give(block);
    this.#blocks = NONE;
    this.#blocksBytes = 0;
    this.#dropMessages();
  }

  /** Behind what waits already. */
  #keepMessages(): void {
    for (const message of this.#messages) {
      this.#appendHeader(message.length);
      this.#append(message);
    }
    this.#dropMessages();
  }

  #dropMessages(): void {
    this.#messages = NONE;
    this.#messagesBytes = 0;
  }

  #appendHeader(messageBytes: number): void {
    const header = new Uint8Array(HEADER_BYTES_MAX);
    this.#append(header.subarray(0, writeHeader(header, 0, messageBytes)));
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const filled = this.#blocksBytes % BLOCK_BYTES;
      if (filled === 0) this.#addBlock();
      const piece = bytes.subarray(at, at + BLOCK_BYTES - filled);
      (this.#blocks.at(-1) as Uint8Array).set(piece, filled);
      this.#blocksBytes += piece.length;
      at += piece.length;
    }
  }

  #addBlock(): void {
    const block = this.#pool.take();
    if (this.#blocks === NONE) this.#blocks = [block];
    else this.#blocks.push(block);
  }

  #writeBlocks(): void {
    const socket = this.#socket;
    socket.cork();
    for (const block of this.#blocks.splice(0, BLOCKS_AT_ONCE)) {
      const length = Math.min(BLOCK_BYTES, this.#blocksBytes);
      this.#blocksBytes -= length;
      // Called in any case, also where the socket ends before.
      socket.write(block.subarray(0, length), () => this.#pool.give(block));
    }
    socket.uncork();
    if (this.#blocks.length === 0) this.#blocks = NONE;
  }
}
