import { CloseCode } from "@parley/protocol";
import type { ServerSettings } from "../settings.ts";
import { BlockPool } from "./block-pool.ts";
import type { SocketTransport } from "./socket-transport.ts";

export const BEAT_MS = 1_000;
/** Each connection has its beat once in this many: below the minute after which many middle boxes forget it. */
const BEATS_BETWEEN_PINGS = 30;
/** For the other side to answer a close before the socket is cut. */
const CLOSE_PATIENCE_BEATS = 2;

/** Whoever asks for little waits at most this long for those who ask for much, each time. */
const TURN_MS = 1;
/** Then the time is looked at. */
const JOBS_AT_ONCE = 8;
/** Then the room of those that are done is given back. */
const JOBS_DONE_MAX = 1_024;

/** Something that comes in turns. */
export interface Job {
  turn(): void;
}

/** When to run something, in the event loop that this is part of. */
export interface Turns {
  /** Behind all that runs in this turn. */
  afterThisTurn(run: () => void): void;
  /** Behind what came from the network meanwhile. */
  nextTurn(run: () => void): void;
  /** Milliseconds that never go back. */
  now(): number;
}

export interface SocketLimits
  extends Pick<
    ServerSettings,
    | "connectionsMax"
    | "bufferedBytesTotalMax"
    | "readerStallMs"
    | "receivedBytesTotalMax"
    | "messageMs"
  > {
  /** One of them, by its name in the settings, has refused something. */
  refused(limit: string): void;
}

/**
 * All sockets of one listener: what each of them waits for is here, so that none has a timer or a closure of
 * its own, and so is what they hold together.
 */
export class SocketLoop {
  readonly pool = new BlockPool();
  readonly #turns: Turns;
  readonly #limits: SocketLimits;
  /** Spread over the beats: ten thousand pings at once would hold everything else up. */
  readonly #beating: readonly Set<SocketTransport>[] = Array.from(
    { length: BEATS_BETWEEN_PINGS },
    () => new Set(),
  );
  /** Until when the other side may answer. */
  readonly #closing = new Map<SocketTransport, number>();
  /** Those for whom something waits, and those of whom a part of a message is here. */
  readonly #slow = new Set<SocketTransport>();
  readonly #sending = new Set<SocketTransport>();
  /** Until the next beat. */
  #resting = new Set<SocketTransport>();
  #outputBytes = 0;
  #inputBytes = 0;
  #toFlush: SocketTransport[] = [];
  readonly #jobs: Job[] = [];
  #nextJob = 0;
  #turnEndsAt = 0;
  #opened = 0;
  #count = 0;
  #onEmpty: (() => void) | undefined;
  /** The number of the present one. */
  beats = 1;

  constructor(turns: Turns, limits: SocketLimits) {
    this.#turns = turns;
    this.#limits = limits;
  }

  add(transport: SocketTransport): void {
    transport.number = this.#opened++;
    this.#count++;
    this.#beatingAt(transport.number).add(transport);
  }

  remove(transport: SocketTransport): void {
    this.output(transport, 0);
    this.input(transport, 0);
    this.#beatingAt(transport.number).delete(transport);
    this.#closing.delete(transport);
    this.#resting.delete(transport);
    this.#count--;
    if (this.#count === 0) this.#onEmpty?.();
  }

  /** Every BEAT_MS. */
  beat(): void {
    this.beats++;
    for (const transport of this.#beatingAt(this.beats)) transport.probe();
    const rested = this.#resting;
    this.#resting = new Set();
    for (const transport of rested) transport.rested();
    for (const [transport, until] of this.#closing) {
      if (this.beats <= until) break;
      transport.cut(0);
    }
    const { readerStallMs, messageMs } = this.#limits;
    for (const transport of this.#slow) {
      this.#lookAtOutput(transport);
      if ((this.beats - transport.outputMovedAt) * BEAT_MS > readerStallMs)
        this.#cut(transport, "readerStallMs", CloseCode.SLOW_READER);
    }
    for (const transport of this.#sending)
      if ((this.beats - transport.inputBegunAt) * BEAT_MS > messageMs)
        this.#cut(transport, "messageMs", CloseCode.IDLE);
  }

  closing(transport: SocketTransport): void {
    this.#closing.set(transport, this.beats + CLOSE_PATIENCE_BEATS);
  }

  rest(transport: SocketTransport): void {
    this.#resting.add(transport);
  }

  /** One write for everything that is sent in one turn, such as all that one commit brought. */
  flushLater(transport: SocketTransport): void {
    if (this.#toFlush.length === 0) this.#turns.afterThisTurn(this.#flush);
    this.#toFlush.push(transport);
  }

  /** What may wait until others were served: in turn, each a little. */
  later(job: Job): void {
    if (this.#jobs.length === 0) this.#turns.nextTurn(this.#beginTurn);
    this.#jobs.push(job);
  }

  /** So many bytes wait for the other side now. */
  output(transport: SocketTransport, bytes: number): void {
    if (bytes === transport.outputBytes) return;
    this.#outputBytes += bytes - transport.outputBytes;
    if (transport.outputBytes === 0) {
      transport.outputMovedAt = this.beats;
      this.#slow.add(transport);
    } else if (bytes === 0) this.#slow.delete(transport);
    transport.outputBytes = bytes;
    while (this.#outputBytes > this.#limits.bufferedBytesTotalMax) {
      const most = largest(this.#slow, (each) => each.outputBytes);
      this.#cut(most, "bufferedBytesTotalMax", CloseCode.SLOW_READER);
    }
  }

  /** So many bytes are held of a message that is not whole. */
  input(transport: SocketTransport, bytes: number): void {
    if (bytes === transport.inputBytes) return;
    this.#inputBytes += bytes - transport.inputBytes;
    if (transport.inputBytes === 0) {
      transport.inputBegunAt = this.beats;
      this.#sending.add(transport);
    } else if (bytes === 0) this.#sending.delete(transport);
    transport.inputBytes = bytes;
    while (this.#inputBytes > this.#limits.receivedBytesTotalMax) {
      const most = largest(this.#sending, (each) => each.inputBytes);
      this.#cut(most, "receivedBytesTotalMax", CloseCode.OVERLOADED);
    }
  }

  /** Resolves once every socket is closed. */
  empty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** A short write tells nobody when it is done. */
  #lookAtOutput(transport: SocketTransport): void {
    const bytes = transport.bufferedBytes();
    if (bytes < transport.outputBytes) transport.outputMovedAt = this.beats;
    this.output(transport, bytes);
  }

  #cut(transport: SocketTransport, limit: string, closeCode: number): void {
    this.#limits.refused(limit);
    transport.cut(closeCode);
    this.output(transport, 0);
    this.input(transport, 0);
  }

  #beatingAt(number: number): Set<SocketTransport> {
    return this.#beating[number % BEATS_BETWEEN_PINGS] as Set<SocketTransport>;
  }

  readonly #flush = (): void => {
    const transports = this.#toFlush;
    this.#toFlush = [];
    for (const transport of transports) transport.flush();
  };

  readonly #beginTurn = (): void => {
    this.#turnEndsAt = this.#turns.now() + TURN_MS;
    this.#doJobs();
  };

  readonly #doJobs = (): void => {
    for (let count = 0; count < JOBS_AT_ONCE && this.#nextJob < this.#jobs.length; count++)
      this.#jobs[this.#nextJob++]?.turn();
    if (this.#nextJob === this.#jobs.length) {
      this.#jobs.length = 0;
      this.#nextJob = 0;
      return;
    }
    if (this.#nextJob > JOBS_DONE_MAX) {
      this.#jobs.splice(0, this.#nextJob);
      this.#nextJob = 0;
    }
    // A handler goes on in promises: only behind them is it known what these jobs have cost.
    void Promise.resolve().then(() => this.#turns.afterThisTurn(this.#goOn));
  };

  readonly #goOn = (): void => {
    if (this.#turns.now() < this.#turnEndsAt) this.#doJobs();
    else this.#turns.nextTurn(this.#beginTurn);
  };
}

function largest(
  transports: ReadonlySet<SocketTransport>,
  bytesOf: (transport: SocketTransport) => number,
): SocketTransport {
  let found: SocketTransport | undefined;
  for (const each of transports)
    if (found === undefined || bytesOf(each) > bytesOf(found)) found = each;
  if (found === undefined) throw new Error("bytes are counted that nobody holds");
  return found;
}
