import type { SocketTransport } from "./socket-transport.ts";

/** Each connection has its beat once in this many: below the minute after which many middle boxes forget it. */
const BEATS_BETWEEN_PINGS = 30;
/** For the other side to answer a close before the socket is cut. */
const CLOSE_PATIENCE_BEATS = 2;

export interface Turns {
  /** Behind all that runs in this turn of the event loop. */
  afterThisTurn(run: () => void): void;
  /** Once others had their turn. */
  nextTurn(run: () => void): void;
}

/**
 * All sockets of one listener: what each of them waits for is here, so that none has a timer or a closure of
 * its own. A beat is a second.
 */
export class SocketLoop {
  readonly #turns: Turns;
  /** Spread over the beats: ten thousand pings at once would hold everything else up. */
  readonly #beating: readonly Set<SocketTransport>[] = Array.from(
    { length: BEATS_BETWEEN_PINGS },
    () => new Set(),
  );
  readonly #closing = new Map<SocketTransport, number>();
  #toFlush: SocketTransport[] = [];
  #toRead: SocketTransport[] = [];
  #opened = 0;
  #count = 0;
  #onEmpty: (() => void) | undefined;
  beats = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  add(transport: SocketTransport): void {
    transport.number = this.#opened++;
    this.#count++;
    this.#beatingAt(transport.number).add(transport);
  }

  remove(transport: SocketTransport): void {
    this.#beatingAt(transport.number).delete(transport);
    this.#closing.delete(transport);
    this.#count--;
    if (this.#count === 0) this.#onEmpty?.();
  }

  beat(): void {
    this.beats++;
    for (const transport of this.#beatingAt(this.beats)) transport.beat();
    for (const [transport, at] of this.#closing) {
      if (this.beats - at <= CLOSE_PATIENCE_BEATS) break;
      transport.cut();
    }
  }

  closing(transport: SocketTransport): void {
    this.#closing.set(transport, this.beats);
  }

  /** One write for everything that is sent in one turn, such as all that one commit brought. */
  flushLater(transport: SocketTransport): void {
    if (this.#toFlush.length === 0) this.#turns.afterThisTurn(this.#flush);
    this.#toFlush.push(transport);
  }

  readLater(transport: SocketTransport): void {
    if (this.#toRead.length === 0) this.#turns.nextTurn(this.#read);
    this.#toRead.push(transport);
  }

  output(_transport: SocketTransport, _bytes: number): void {}

  input(_transport: SocketTransport, _bytes: number): void {}

  /** Resolves once every socket is closed. */
  empty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #beatingAt(number: number): Set<SocketTransport> {
    return this.#beating[number % BEATS_BETWEEN_PINGS] as Set<SocketTransport>;
  }

  readonly #flush = (): void => {
    const transports = this.#toFlush;
    this.#toFlush = [];
    for (const transport of transports) transport.flush();
  };

  readonly #read = (): void => {
    const transports = this.#toRead;
    this.#toRead = [];
    for (const transport of transports) transport.read();
  };
}
