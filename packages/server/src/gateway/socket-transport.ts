import type { Socket } from "node:net";
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
const NORMAL = 1000;

/** One WebSocket over a socket whose handshake is done. All that waits, or takes time, is in its SocketLoop. */
export class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly #loop: SocketLoop;
  readonly #reader = new FrameReader();
  #accepted: Accepted | undefined;
  /** Messages that the socket does not have yet. */
  #messages: Uint8Array[] = NONE;
  #messagesBytes = 0;
  /** Of the first one. */
  #writtenBytes = 0;
  #pong: Uint8Array | undefined;
  #close: Uint8Array | undefined;
  #isFlushing = false;
  #isClosing = false;
  /** It broke the format: nothing that it says can be read any more. */
  #isDeaf = false;
  #peerClosed = false;
  #hasSpoken = true;
  /** Its place in the loop. */
  number = 0;
  /** When its output, or the message that it sends, last moved: in beats of the loop. */
  outputMovedAt = 0;
  inputBegunAt = 0;
  /** As the loop has counted them. */
  outputBytes = 0;
  inputBytes = 0;

  constructor(socket: Socket, loop: SocketLoop) {
    this.#socket = socket;
    this.#loop = loop;
  }

  serve(accepted: Accepted): void {
    this.#accepted = accepted;
  }

  // What the socket says.

  received(chunk: Uint8Array): void {
    this.#hasSpoken = true;
    if (this.#isDeaf) return;
    this.#reader.push(chunk);
    this.read();
  }

  drained(): void {
    this.outputMovedAt = this.#loop.beats;
    this.flush();
  }

  ended(): void {
    this.#accepted?.closed();
    this.#socket.destroy();
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
    return this.#socket.remoteAddress;
  }

  bufferedBytes(): number {
    return this.#messagesBytes + this.#socket.writableLength;
  }

  probe(): void {
    if (!this.#hasSpoken) {
      this.cut();
      return;
    }
    this.#hasSpoken = false;
    this.#socket.write(controlFrame(OPCODE.PING, new Uint8Array(0)));
  }

  // What the loop says.

  /** A beat of this connection: a ping, unless it has spoken since the last one. */
  beat(): void {
    if (this.#isClosing) return;
    if (this.#hasSpoken) this.probe();
    else this.cut();
  }

  /** Ends it without a word. */
  cut(): void {
    this.#accepted?.closed();
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
    this.#loop.output(this, this.bufferedBytes());
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
        this.close(incoming.code === STANDARD_CLOSE.NO_CODE ? NORMAL : incoming.code, "");
        this.#flushLater();
        return;
    }
  }

  #breakOff({ closeCode, message }: FramingError): void {
    this.#isDeaf = true;
    this.#accepted?.closed();
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
