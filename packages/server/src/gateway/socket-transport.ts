import type { Socket } from "node:net";
import { CloseCode } from "@parley/protocol";
import type { Transport } from "../ports/transport.ts";
import type { Accepted } from "../server.ts";
import { FrameReader, type Incoming } from "./frame-reader.ts";
import { closeFrame, controlFrame } from "./frame-writer.ts";
import type { SocketLoop } from "./socket-loop.ts";
import { SocketOutput } from "./socket-output.ts";
import { FramingError, OPCODE, STANDARD_CLOSE } from "./websocket-format.ts";

/** Of a connection that waits for its turns, in each of them. */
const FRAMES_PER_TURN = 4;
/**
 * Whoever asks for little is served as it comes; whoever asks for more waits for turns, and costs the others no
 * more than one turn of everybody who does. A unit is a frame, 4 KiB that came, or 16 KiB that went: a person who
 * writes, and the device that acknowledges what comes, are at a few in a second.
 */
const UNITS_MAX = 64;
const UNITS_PER_BEAT = 32;
const RECEIVED_UNIT_BITS = 12;
const SENT_UNIT_BITS = 14;
/** Of a connection that waits: then its socket is not read either. */
const UNREAD_BYTES_MAX = 16 * 1024;
/**
 * Pings, and frames that were refused, of one beat; whoever goes on is not read until the next. Nobody who waits as
 * long as an answer says comes near it, and a flood costs no more than what is read of it.
 */
const STRIKES_MAX = 128;
const STRIKES_PER_REFUSAL = 4;
/** With so much before it, nothing more is read of a client, nor from its mailbox, until it takes some. */
const OUTPUT_BYTES_ENOUGH = 64 * 1024;

const PING = controlFrame(OPCODE.PING, new Uint8Array(0));
/** Longer than a round trip of the worst network that anybody would bear. */
const PONG_PATIENCE_BEATS = 10;

/** One WebSocket over a socket whose handshake is done. All that waits, or takes time, is in its SocketLoop. */
export class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly #loop: SocketLoop;
  readonly #forwarded: string | undefined;
  readonly #reader: FrameReader;
  readonly #output: SocketOutput;
  #accepted: Accepted | undefined;
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
  /** For its turn, with something unread. */
  #isWaiting = false;
  /** Until the other side takes what was answered, or what it asked for is done. */
  #isHeld = false;
  #wasFull = false;
  #strikes = 0;
  #strikesSince = 0;
  /** Until the next beat. */
  #isResting = false;
  /** What it may ask for before it waits for its turn; in debt it is below 0. */
  #units = UNITS_MAX;
  #restoredAt = 0;
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
    this.#reader = new FrameReader(loop.pool);
    this.#output = new SocketOutput(socket, loop.pool);
  }

  serve(accepted: Accepted): void {
    this.#accepted = accepted;
  }

  // What the socket says.

  received(chunk: Uint8Array): void {
    this.#pingedAt = 0;
    if (this.#isDeaf) return;
    this.#reader.push(chunk);
    if (this.#isWaiting || this.#isHeld || this.#isResting) this.#keepWaiting();
    else if (this.#allowance() > 0) this.#read(this.#allowance());
    else this.#waitForTurn();
  }

  /** What it has sent meanwhile is memory too. */
  #keepWaiting(): void {
    if (this.#reader.unreadBytes > UNREAD_BYTES_MAX) this.#socket.pause();
    this.#loop.input(this, this.#reader.heldBytes);
  }

  closed(): void {
    this.#letGo();
    this.#accepted?.closed();
    this.#loop.remove(this);
  }

  // What the server says.

  send(message: Uint8Array): void {
    if (this.#isClosing) return;
    this.#spend(message.length >>> SENT_UNIT_BITS);
    this.#output.add(message);
    this.#flushLater();
  }

  sendPieces(head: Uint8Array, tail: Uint8Array): void {
    if (this.#isClosing) return;
    this.#spend(tail.length >>> SENT_UNIT_BITS);
    this.#output.addPieces(head, tail);
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

  isFull(): boolean {
    const isFull = this.bufferedBytes() > OUTPUT_BYTES_ENOUGH;
    if (isFull) this.#wasFull = true;
    return isFull;
  }

  bufferedBytes(): number {
    return this.#output.bytes;
  }

  ready(): void {
    this.#goOn();
  }

  refused(): void {
    this.#strike(STRIKES_PER_REFUSAL);
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
    this.#letGo();
    this.#accepted?.closed(closeCode);
    this.#socket.destroy();
  }

  /** It is this connection's turn. */
  turn(): void {
    this.#isWaiting = false;
    this.#read(FRAMES_PER_TURN);
  }

  /** A beat has passed since it went too far. */
  rested(): void {
    this.#isResting = false;
    this.#waitForTurn();
  }

  /** Writes what was sent in this turn, as far as the other side takes it. */
  flush(): void {
    this.#isFlushing = false;
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#output.write();
    if (this.#output.isWritten) this.#writeControl();
    if (socket.writableNeedDrain) this.#awaitDrain();
    this.#loop.output(this, this.bufferedBytes());
    this.#goOn();
  }

  #read(framesMax: number): void {
    try {
      for (let frames = 0; !this.#isDeaf; frames++) {
        if (this.#isOccupied()) {
          this.#isHeld = true;
          this.#reader.keep();
          this.#keepWaiting();
          return;
        }
        if (this.#strikes > STRIKES_MAX && this.#strikesSince === this.#loop.beats) {
          this.#rest();
          return;
        }
        if (frames >= framesMax) {
          this.#waitForTurn();
          return;
        }
        const incoming = this.#reader.next(this.#accepted?.frameBytesMax() ?? 0);
        if (incoming === undefined) break;
        this.#take(incoming);
      }
    } catch (cause) {
      if (!(cause instanceof FramingError)) throw cause;
      this.#breakOff(cause);
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#loop.input(this, this.#isDeaf ? 0 : this.#reader.heldBytes);
  }

  #waitForTurn(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#loop.later(this);
    this.#keepWaiting();
  }

  #strike(strikes: number): void {
    const { beats } = this.#loop;
    if (this.#strikesSince !== beats) this.#strikes = 0;
    this.#strikesSince = beats;
    this.#strikes += strikes;
  }

  #rest(): void {
    this.#isResting = true;
    this.#socket.pause();
    this.#reader.keep();
    this.#loop.rest(this);
    this.#keepWaiting();
  }

  #isOccupied(): boolean {
    return this.isFull() || this.#accepted?.isBusy === true;
  }

  /** The other side has taken what there was, or the server has done what it was asked. */
  #goOn(): void {
    if (this.isFull()) return;
    if (this.#isHeld && !this.#isOccupied()) {
      this.#isHeld = false;
      this.#waitForTurn();
    }
    if (!this.#wasFull) return;
    this.#wasFull = false;
    this.#accepted?.drained();
  }

  /** How many frames may be read at once, before those of busier connections. */
  #allowance(): number {
    if (this.#accepted?.isLoggedIn !== true) return 0;
    const { beats } = this.#loop;
    const restored = (beats - this.#restoredAt) * UNITS_PER_BEAT;
    this.#restoredAt = beats;
    this.#units = Math.min(UNITS_MAX, this.#units + restored);
    return this.#units;
  }

  #spend(units: number): void {
    this.#units = Math.max(-UNITS_MAX, this.#units - units);
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

  /** It neither hears nor says anything any more. */
  #letGo(): void {
    this.#isDeaf = true;
    this.#reader.forget();
    this.#output.forget();
  }

  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#loop.flushLater(this);
  }

  #take(incoming: Incoming): void {
    this.#spend(1);
    switch (incoming.kind) {
      case "message":
        this.#spend(incoming.bytes.length >>> RECEIVED_UNIT_BITS);
        this.inputBegunAt = this.#loop.beats;
        if (!this.#isClosing) this.#accepted?.receive(incoming.bytes);
        return;
      case "ping":
        this.#strike(1);
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
    this.#reader.forget();
    this.#accepted?.closed(closeCode);
    this.close(closeCode, message);
    this.#peerClosed = true; // No answer to the close can be read.
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
