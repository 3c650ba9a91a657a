import {
  type Challenge,
  CloseCode,
  decodeServerFrame,
  encodeClientFrame,
  InvalidFrameError,
  ProtocolError,
  type ServerFrame,
} from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";
import type { OpenSocket, Socket } from "../ports/socket.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import {
  type Answer,
  type AnswerOf,
  type Asked,
  type AskedOf,
  answerCase,
  type OneWay,
  type RequestCase,
  type RequestOf,
} from "./requests.ts";

export interface ChannelParts {
  readonly serverUrl: string;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
}

export interface ChannelEvents {
  /** The first frame of every connection. */
  challenged(challenge: Challenge): void;
  /** What the server says of itself, in the order of the wire. */
  told(response: ServerFrame["response"]): void;
  /** Any frame has come. */
  heard(): void;
  /** Once, last, whichever side ended it. */
  ended(closeCode: number): void;
}

/** Called at once, in the order of the wire. */
export interface AnswerTaker<Value> {
  answered(value: Value): void;
  failed(cause: ProtocolError | ConnectionLostError): void;
}

/** From opening the socket until the challenge is here. */
const CHALLENGE_TIMEOUT_MS = 20_000;
/** A server that answers one request so late is not there for the others either. */
const REQUEST_TIMEOUT_MS = 30_000;

/** One socket from opening to end: frames, and requests paired with their answers by id. */
export class Channel {
  readonly #events: ChannelEvents;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #cancelChallengeTimeout: () => void;
  #challenged = false;
  #ended = false;
  #lastRequestId = 0;

  constructor({ serverUrl, openSocket, clock }: ChannelParts, events: ChannelEvents) {
    this.#events = events;
    this.#clock = clock;
    this.#cancelChallengeTimeout = clock.after(CHALLENGE_TIMEOUT_MS, () =>
      this.close(CloseCode.IDLE, "no challenge"),
    );
    this.#socket = openSocket(serverUrl, {
      opened: () => {},
      received: (bytes) => this.#receive(bytes),
      closed: (code) => this.#end(code),
    });
  }

  get alive(): boolean {
    return !this.#ended;
  }

  request<C extends RequestCase>(name: C, value: RequestOf<C>): Promise<AnswerOf<C>> {
    return new Promise((resolve, reject) => {
      const taker = { answered: resolve as (value: Answer) => void, failed: reject };
      this.ask(name, value as AskedOf<C>, taker);
    });
  }

  /** As `request`, for who must not be a turn late. */
  ask<C extends Asked>(name: C, value: AskedOf<C>, taker: AnswerTaker<Answer>): void {
    if (this.#ended) {
      taker.failed(new ConnectionLostError());
      return;
    }
    const requestId = ++this.#lastRequestId;
    // The answer to a drain stands behind all mail that waits, which may be much.
    const cancelTimeout =
      name === "drain"
        ? () => {}
        : this.#clock.after(REQUEST_TIMEOUT_MS, () => this.close(CloseCode.IDLE, "no answer"));
    this.#pending.set(requestId, { answerCase: answerCase(name), taker, cancelTimeout });
    this.#send({ requestId, request: { case: name, value } as FrameInit["request"] & object });
  }

  tell(request: OneWay): void {
    if (!this.#ended) this.#send({ requestId: 0, request });
  }

  /** Whatever the other side does about it, this end has ended. */
  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#socket.close(code, reason);
    this.#end(code);
  }

  #send(frame: FrameInit): void {
    this.#socket.send(encodeClientFrame(frame));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#events.heard();
    const frame = this.#decode(bytes);
    if (frame === undefined) return;
    if (this.#challenged) this.#take(frame);
    else if (frame.response.case === "challenge") this.#begin(frame.response.value);
    else this.#contradict();
  }

  #decode(bytes: Uint8Array): ServerFrame | undefined {
    try {
      return decodeServerFrame(bytes);
    } catch (cause) {
      const pending =
        cause instanceof InvalidFrameError ? this.#forget(cause.requestId) : undefined;
      if (pending !== undefined) pending.taker.failed(ProtocolError.from(cause));
      else this.#contradict();
      return undefined;
    }
  }

  #begin(challenge: Challenge): void {
    this.#challenged = true;
    this.#cancelChallengeTimeout();
    this.#events.challenged(challenge);
  }

  #take({ requestId, response }: ServerFrame): void {
    const pending = this.#forget(requestId);
    if (requestId === 0) this.#events.told(response);
    else if (pending === undefined) this.#contradict();
    else if (response.case === "error")
      pending.taker.failed(ProtocolError.fromResponse(response.value));
    else if (response.case === pending.answerCase) pending.taker.answered(response.value as Answer);
    else {
      pending.taker.failed(new ConnectionLostError("the answer is to another request"));
      this.#contradict();
    }
  }

  #contradict(): void {
    this.close(CloseCode.MALFORMED_FRAME, "not a frame, or not its turn");
  }

  #forget(requestId: number): Pending | undefined {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return undefined;
    this.#pending.delete(requestId);
    pending.cancelTimeout();
    return pending;
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelChallengeTimeout();
    for (const requestId of [...this.#pending.keys()])
      this.#forget(requestId)?.taker.failed(new ConnectionLostError("the connection has ended"));
    this.#events.ended(code);
  }
}

type FrameInit = Exclude<Parameters<typeof encodeClientFrame>[0], { $typeName: string }>;

interface Pending {
  readonly answerCase: ServerFrame["response"]["case"];
  readonly taker: AnswerTaker<Answer>;
  readonly cancelTimeout: () => void;
}
