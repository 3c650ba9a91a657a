import {
  CLIENT_FRAME_BYTES_MAX,
  type ClientFrame,
  CloseCode,
  closesConnection,
  decodeClientFrame,
  ErrorCode,
  InvalidFrameError,
  LOGIN_FRAME_BYTES_MAX,
  ProtocolError,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";
import type { Outlet } from "../core/outlet.ts";
import { SharedTimer, type Timed } from "../core/shared-timer.ts";
import { VERSIONS } from "../core/version.ts";
import { appendRootEntry } from "../handlers/append-account-entry.ts";
import { hello } from "../handlers/hello.ts";
import { signUp } from "../handlers/sign-up.ts";
import { startRecovery } from "../handlers/start-recovery.ts";
import type { Transport } from "../ports/transport.ts";
import type { Admission } from "./admission.ts";
import { encodeAnswer, longAnswer } from "./encode-answer.ts";
import { type Answer, isLinkStep, route, routeLinkStep } from "./router.ts";

const CHALLENGE_BYTES = 32;
/** A close frame holds 123 bytes of reason (RFC 6455 section 5.5.1); ours are ASCII. */
const REASON_CHARACTERS_MAX = 123;
/** As the schema has it. */
const ERROR_MESSAGE_CHARACTERS_MAX = 256;
/** Of one connection under way, before more of it is read: a stream of sends goes on well with these. */
const REQUESTS_ENOUGH = 16;
const NO_CHALLENGE = new Uint8Array(0);

/** What all connections share. */
export interface ConnectionParts {
  readonly context: Context;
  readonly admission: Admission;
  /** For whoever has not logged in, and for whoever links a device. */
  readonly logins: SharedTimer;
  readonly linkings: SharedTimer;
  loggedIn(connection: Connection): void;
  ended(connection: Connection): void;
}

/** Frames in, frames out, for one client over any transport: decodes, checks, dispatches, answers errors. */
export class Connection implements Outlet, Timed {
  readonly #parts: ConnectionParts;
  readonly #transport: Transport;
  /** Until it is answered. */
  #challenge: Uint8Array;
  #session: DeviceSession | undefined;
  /** Before login one frame is handled after the other: a hello may follow its sign-up at once. */
  #greeting: Promise<void> | undefined;
  #underWay = 0;
  #isEnded = false;
  #isDraining = false;
  #onIdle: (() => void) | undefined;
  round: Set<Timed> | undefined;

  constructor(parts: ConnectionParts, transport: Transport) {
    this.#parts = parts;
    this.#transport = transport;
    const { context } = parts;
    this.#challenge = context.random(CHALLENGE_BYTES);
    context.metrics.connectionOpened();
    parts.logins.start(this);
    this.#say(0, {
      case: "challenge",
      value: {
        nonce: this.#challenge,
        versionMin: VERSIONS.min,
        versionMax: VERSIONS.max,
        serverTimeMs: BigInt(context.clock.now()),
      },
    });
  }

  /** One whole frame from the client. */
  receive(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    let frame: ClientFrame | undefined;
    try {
      frame = decodeClientFrame(bytes, this.frameBytesMax());
      this.#take(frame);
    } catch (cause) {
      const requestId = cause instanceof InvalidFrameError ? cause.requestId : 0;
      const error = this.#note(frame?.request.case, cause);
      this.#refuse(frame?.requestId ?? requestId, error);
    }
  }

  frameBytesMax(): number {
    return this.#session === undefined ? LOGIN_FRAME_BYTES_MAX : CLIENT_FRAME_BYTES_MAX;
  }

  /** The transport has ended. */
  closed(closeCode = 0): void {
    this.#finish(closeCode);
  }

  /** No login in time. */
  due(): void {
    this.end(CloseCode.LOGIN_TIMEOUT, "no login");
  }

  /** Neither hears nor says anything any more, and leaves everything as it is. */
  silence(): void {
    this.#isEnded = true;
  }

  #finish(closeCode: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#context.metrics.connectionClosed(closeCode);
    this.#context.log.debug({ code: closeCode }, "connection-ended");
    SharedTimer.stop(this);
    this.#session?.close();
    this.#onIdle?.();
    this.#parts.ended(this);
  }

  /** Lets what is under way finish, takes nothing new, and says when to come back. */
  async drain(reconnectAfterMs: number): Promise<void> {
    if (this.#isEnded) return;
    this.#isDraining = true;
    this.#say(0, { case: "moving", value: { reconnectAfterMs } });
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        this.#context.clock.after(this.#context.settings.drainMs, resolve);
      });
    }
    this.end(CloseCode.SERVICE_RESTART, "the server is stopping");
  }

  get #context(): Context {
    return this.#parts.context;
  }

  /** Made when it is asked for: few requests of a connection are counted by its address. */
  get addressKey(): string | undefined {
    const { address } = this.#transport;
    return address === undefined ? undefined : this.#parts.admission.visitorKey(address);
  }

  isFull(): boolean {
    return this.#transport.isFull?.() ?? false;
  }

  drained(): void {
    this.#session?.stream.drained();
  }

  send(frame: Uint8Array): void {
    if (this.#takesMore()) this.#transport.send(frame);
  }

  #takesMore(): boolean {
    if (this.#isEnded) return false;
    if (this.#transport.bufferedBytes() <= this.#context.settings.bufferedBytesMax) return true;
    this.#context.limits.refused("bufferedBytesMax");
    this.end(CloseCode.SLOW_READER, "the client takes no more data");
    return false;
  }

  end(closeCode: number, reason: string): void {
    if (this.#isEnded) return;
    this.#finish(closeCode);
    this.#transport.close(closeCode, reason.slice(0, REASON_CHARACTERS_MAX));
  }

  get isLoggedIn(): boolean {
    return this.#session !== undefined;
  }

  get isBusy(): boolean {
    return this.#underWay >= REQUESTS_ENOUGH;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes();
  }

  probe(): void {
    if (!this.#isEnded) this.#transport.probe?.();
  }

  #take(frame: ClientFrame): void {
    const { requestId, request } = frame;
    if (requestId === 0 && request.case !== "ack" && request.case !== "sendLive")
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, "a request without an id");
    if (this.#isDraining) throw new ProtocolError(ErrorCode.BUSY, "the server is stopping");
    if (this.#underWay >= this.#context.settings.requestsMax) {
      this.#context.limits.refused("requestsMax");
      throw new ProtocolError(ErrorCode.BUSY, "too many requests at once");
    }
    if (this.#session !== undefined) void this.#handle(frame, this.#route(this.#session, frame));
    else if (isLinkStep(request)) {
      this.#parts.linkings.start(this);
      void this.#handle(frame, routeLinkStep(this.#context, this, request));
    } else {
      const greeted = (this.#greeting ?? Promise.resolve()).then(() => this.#greet(frame));
      this.#greeting = greeted.then(
        () => undefined,
        () => undefined,
      );
      void this.#handle(frame, greeted);
    }
  }

  async #handle(
    { requestId, request }: ClientFrame,
    answer: Promise<Answer | undefined>,
  ): Promise<void> {
    this.#underWay++;
    try {
      const given = await answer;
      this.#context.metrics.handled(kindOf(request.case), 0);
      if (given !== undefined) this.#say(requestId, given);
      if (given?.case === "welcome") this.#session?.start();
    } catch (cause) {
      // What is never answered cannot be refused either: a wrong ack ends the connection, and a live frame is
      // lost.
      const error = this.#note(request.case, cause);
      if (request.case !== "sendLive") this.#refuse(requestId, error);
      if (request.case === "ack") this.end(CloseCode.MALFORMED_FRAME, "a wrong ack");
    } finally {
      this.#underWay--;
      if (this.#underWay === REQUESTS_ENOUGH - 1) this.#transport.ready?.();
      if (this.#underWay === 0) this.#onIdle?.();
    }
  }

  #route(session: DeviceSession, frame: ClientFrame): Promise<Answer | undefined> {
    return route(this.#context, session, frame, this);
  }

  async #greet(frame: ClientFrame): Promise<Answer | undefined> {
    const { request } = frame;
    if (this.#isEnded) return undefined;
    if (this.#session !== undefined) return this.#route(this.#session, frame);
    const visitor = {
      challenge: this.#challenge,
      origins: this.#context.settings.origins,
      addressKey: this.addressKey,
      outlet: this as Outlet,
    };
    if (request.case === "signUp")
      return { case: "signUp", value: await signUp(this.#context, visitor, request.value) };
    if (request.case === "startRecovery")
      return {
        case: "startRecovery",
        value: await startRecovery(this.#context, visitor, request.value),
      };
    if (request.case === "appendAccountEntry")
      return {
        case: "appendAccountEntry",
        value: await appendRootEntry(this.#context, visitor, request.value),
      };
    if (request.case === undefined)
      throw new ProtocolError(ErrorCode.UNSUPPORTED, "this server does not do that");
    if (request.case !== "hello") throw new ProtocolError(ErrorCode.OUT_OF_TURN, "log in first");
    const { session, welcome } = await hello(this.#context, visitor, request.value);
    if (this.#isEnded) {
      session.close();
      return undefined;
    }
    this.#session = session;
    const { metrics, log, logId } = this.#context;
    metrics.loggedIn();
    log.debug({ account: logId(session.accountId), device: session.deviceId }, "logged-in");
    SharedTimer.stop(this);
    this.#challenge = NO_CHALLENGE;
    this.#greeting = undefined;
    this.#parts.loggedIn(this);
    return { case: "welcome", value: welcome };
  }

  /** Every failed request passes here once: counted, and written of. */
  #note(request: ClientFrame["request"]["case"], cause: unknown): ProtocolError {
    const { metrics, log } = this.#context;
    const error = ProtocolError.from(cause);
    const { code } = error;
    this.#transport.refused?.();
    const kind = kindOf(request);
    metrics.handled(kind, code);
    if (code === ErrorCode.LOGIN_REFUSED) metrics.loginRefused();
    if (code === ErrorCode.INTERNAL) log.error({ kind, err: cause }, "request-broken");
    else log.debug({ kind, code }, "request-failed");
    return error;
  }

  #refuse(requestId: number, error: ProtocolError): void {
    const { code, retryAfterMs } = error;
    const message = error.message.slice(0, ERROR_MESSAGE_CHARACTERS_MAX);
    const value = { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    this.#say(requestId, { case: "error", value });
    if (closesConnection(code)) this.end(closeCodeOf(code), message);
  }

  #say(requestId: number, response: Answer): void {
    const long = this.#transport.sendPieces && longAnswer(requestId, response);
    if (long === undefined) this.send(encodeAnswer(requestId, response));
    else if (this.#takesMore()) this.#transport.sendPieces?.(long.head, long.tail);
  }
}

/** For what is counted: a frame that could not be read has none. */
function kindOf(request: ClientFrame["request"]["case"]): string {
  return request ?? "none";
}

function closeCodeOf(code: ErrorCode): number {
  switch (code) {
    case ErrorCode.VERSION_NOT_SUPPORTED:
      return CloseCode.VERSION_NOT_SUPPORTED;
    case ErrorCode.LOGIN_REFUSED:
      return CloseCode.LOGIN_REFUSED;
    default:
      return CloseCode.MALFORMED_FRAME;
  }
}
