import type { Socket } from "node:net";
import { CloseCode } from "@parley/protocol";
import type { Transport } from "../ports/transport.ts";
import type { Accepted } from "../server.ts";
import { FrameReader, type Incoming } from "./frame-reader.ts";
import { closeFrame, controlFrame, headerOf, joined } from "./frame-writer.ts";
import type { SocketLoop } from "./socket-loop.ts";
import { FramingError, OPCODE, STANDARD_CLOSE } from "./websocket-format.ts";

/** Frames of one connection before it is another's turn: a few hundred microseconds of work. */
const FRAMES_PER_TURN = 32;
/** What is copied to leave in one piece. Above it, header and payload are written as they are. */
const JOINED_BYTES_MAX = 16 * 1024;
/** A long message goes to the socket in pieces of its buffer, so that it shows whether anybody reads. */
const PIECE_BYTES = 64 * 1024;

const NONE: Uint8Array[] = [];
const PING = controlFrame(OPCODE.PING, new Uint8Array(0));
/** Longer than a round trip of the worst network that anybody would bear. */
const PONG_PATIENCE_BEATS = 10;

/** One WebSocket over a socket whose handshake is done. All that waits, or takes time, is in its SocketLoop. */
export class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly #loop: SocketLoop;
  readonly #forwarded: string | undefined;
  readonly #reader = new FrameReader();
  #accepted: Accepted | undefined;
  /** Messages that the socket does not have yet. */
  #messages: Uint8Array[] = NONE;
  #messagesBytes = 0;
  /** Of the first one. */
  #writtenBytes = 0;
  /** Control frames wait until no message is half written. */
  #pingDue = false;
  #pong: Uint8Array | undefined;
  #close: Uint8Array | undefined;
  #isFlushing = false;
  #awaitsDrain = false;
  #isClosing = false;
  /** It broke the format: nothing that it says can be read any more. */
  #isDeaf = false;
  #peerClosed = false;
  /** In beats of the loop; 0: nothing is waited for. */
  #pingedAt = 0;
  /** Its place in the loop. */
  number = 0;
  /** When its output, or the message that it sends, last moved: in beats of the loop. */
  outputMovedAt = 0;
  inputBegunAt = 0;
  /** As the loop has counted them. */
  outputBytes = 0;
  inputBytes = 0;

  /** `forwarded`: the client's address, where it is not the socket's. */
  constructor(socket: Socket, loop: SocketLoop, forwarded: string | undefined) {
    this.#socket = socket;
    this.#loop = loop;
    this.#forwarded = forwarded;
  }

  serve(accepted: Accepted): void {
    this.#accepted = accepted;
  }

  // What the socket says.

  received(chunk: Uint8Array): void {
    this.#pingedAt = 0;
    if (this.#isDeaf) return;
    this.#reader.push(chunk);
    this.read();
  }

  closed(): void {
    this.#isDeaf = true;
    this.#accepted?.closed();
    this.#loop.remove(this);
  }

  // What the server says.

  send(message: Uint8Array): void {
    if (this.#isClosing) return;
    if (this.#messages === NONE) this.#messages = [message];
    else this.#messages.push(message);
    this.#messagesBytes += message.length;
    this.#flushLater();
  }

  close(code: number, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#close = closeFrame(code, reason);
    this.#loop.closing(this);
    this.#flushLater();
  }

  get address(): string | undefined {
    return this.#forwarded ?? this.#socket.remoteAddress;
  }

  bufferedBytes(): number {
    return this.#messagesBytes + this.#socket.writableLength;
  }

  /** Whoever reads slowly is watched by the loop, and would have the ping behind all the rest. */
  probe(): void {
    if (this.#isClosing || this.outputBytes > 0) return;
    const { beats } = this.#loop;
    if (this.#pingedAt === 0) {
      this.#pingedAt = beats;
      this.#pingDue = true;
      this.#flushLater();
    } else if (beats - this.#pingedAt >= PONG_PATIENCE_BEATS) this.cut(CloseCode.IDLE);
  }

  // What the loop says.

  /** Ends it without a word. */
  cut(closeCode: number): void {
    this.#isDeaf = true;
    this.#accepted?.closed(closeCode);
    this.#socket.destroy();
  }

  /** Takes what has come, for one turn. */
  read(): void {
    try {
      for (let frames = 0; ; frames++) {
        if (this.#isDeaf) return;
        if (frames === FRAMES_PER_TURN) {
          this.#socket.pause();
          this.#loop.readLater(this);
          return;
        }
        const incoming = this.#reader.next(this.#accepted?.frameBytesMax() ?? 0);
        if (incoming === undefined) break;
        this.#take(incoming);
      }
    } catch (cause) {
      if (!(cause instanceof FramingError)) throw cause;
      this.#breakOff(cause);
      return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#loop.input(this, this.#reader.heldBytes);
  }

  /** Writes what was sent in this turn, as far as the other side takes it. */
  flush(): void {
    this.#isFlushing = false;
    const socket = this.#socket;
    if (socket.destroyed) return;
    while (this.#messages.length > 0 && !socket.writableNeedDrain) this.#writeSome();
    if (this.#messages.length === 0) this.#writeControl();
    if (socket.writableNeedDrain) this.#awaitDrain();
    this.#loop.output(this, this.bufferedBytes());
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#socket.once("drain", () => {
      this.#awaitsDrain = false;
      this.outputMovedAt = this.#loop.beats;
      this.flush();
    });
  }

  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#loop.flushLater(this);
  }

  #take(incoming: Incoming): void {
    switch (incoming.kind) {
      case "message":
        if (!this.#isClosing) this.#accepted?.receive(incoming.bytes);
        return;
      case "ping":
        // Only the newest of those that were not answered yet (RFC 6455 section 5.5.3).
        this.#pong = incoming.payload;
        this.#flushLater();
        return;
      case "pong":
        return;
      case "close":
        this.#isDeaf = true;
        this.#peerClosed = true;
        this.#accepted?.closed();
        this.close(incoming.code === STANDARD_CLOSE.NO_CODE ? CloseCode.NORMAL : incoming.code, "");
        this.#flushLater();
        return;
    }
  }

  #breakOff({ closeCode, message }: FramingError): void {
    this.#isDeaf = true;
    this.#accepted?.closed(closeCode);
    this.close(closeCode, message);
    this.#peerClosed = true; // No answer to the close can be read.
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #writeSome(): void {
    const messages = this.#messages;
    let count = 0;
    let bytes = 0;
    if (this.#writtenBytes === 0)
      for (; count < messages.length; count++) {
        bytes += (messages[count] as Uint8Array).length;
        if (bytes > JOINED_BYTES_MAX) break;
      }
    if (count > 0) {
      this.#socket.write(joined(messages, count));
      this.#drop(count);
    } else this.#writePiece(messages[0] as Uint8Array);
  }

  #writePiece(message: Uint8Array): void {
    const from = this.#writtenBytes;
    const piece = message.subarray(from, from + PIECE_BYTES);
    this.#socket.cork();
    if (from === 0) this.#socket.write(headerOf(message.length));
    this.#socket.write(piece);
    this.#socket.uncork();
    this.#writtenBytes += piece.length;
    this.#messagesBytes -= piece.length;
    if (this.#writtenBytes === message.length) {
      this.#messagesBytes += message.length;
      this.#drop(1);
    }
  }

  #drop(count: number): void {
    this.#writtenBytes = 0;
    const messages = this.#messages;
    for (let i = 0; i < count; i++) this.#messagesBytes -= (messages[i] as Uint8Array).length;
    if (count === messages.length) this.#messages = NONE;
    else messages.splice(0, count);
  }

  #writeControl(): void {
    if (this.#pingDue) {
      this.#socket.write(PING);
      this.#pingDue = false;
    }
    if (this.#pong !== undefined) {
      this.#socket.write(controlFrame(OPCODE.PONG, this.#pong));
      this.#pong = undefined;
    }
    if (this.#close !== undefined) {
      this.#socket.write(this.#close);
      this.#close = undefined;
    }
    if (this.#isClosing && this.#peerClosed) this.#socket.end();
  }
}
