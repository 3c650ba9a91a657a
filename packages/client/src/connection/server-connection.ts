import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AccountHead,
  type Challenge,
  CloseCode,
  type Deliver,
  type Envelope,
  ErrorCode,
  ProtocolError,
  reconnectAfter,
  type SendLiveRequestSchema,
  type ServerFrame,
  type Welcome,
} from "@parley/protocol";
import type { ConnectionState } from "../api.ts";
import type { Random } from "../ports/random.ts";
import { Attempt } from "./attempt.ts";
import { Backoff } from "./backoff.ts";
import type { ChannelParts } from "./channel.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionHandler } from "./connection-handler.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { HandUp } from "./hand-up.ts";
import { type FlowWindow, type Login, versionWith, WINDOW } from "./login.ts";
import type { AnswerOf, RequestCase, RequestOf } from "./requests.ts";

export interface ConnectionParts extends ChannelParts {
  readonly random: Random;
  readonly login: Login;
  readonly window?: FlowWindow;
  readonly handler: ConnectionHandler;
  /** What acks tell: the state number that is durable. */
  stateNumber(): bigint;
  fatal(cause: unknown): void;
}

/** Connects, logs in, hands up what comes, and begins again. What things mean is known above. */
export class ServerConnection implements Connection {
  readonly #parts: ConnectionParts;
  readonly #backoff: Backoff;
  readonly #handUp: HandUp;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #state: ConnectionState = { kind: "offline", retryAtMs: undefined };
  #attempt: Attempt | undefined;
  #cancelRetry: () => void = () => {};

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
    this.#handUp = new HandUp({
      handler: parts.handler,
      stateNumber: () => parts.stateNumber(),
      failed: (attempt, cause) => this.#failed(attempt, cause),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#attempt === undefined) this.#connect();
  }

  async close(): Promise<void> {
    this.#stop({ kind: "offline", retryAtMs: undefined });
    await this.#handUp.idle();
  }

  async request<C extends RequestCase>(name: C, value: RequestOf<C>): Promise<AnswerOf<C>> {
    return await this.#loggedIn().channel.request(name, value);
  }

  async drain(): Promise<void> {
    const attempt = this.#loggedIn();
    await new Promise<void>((resolve, failed) => {
      const dropped = () => failed(new ConnectionLostError());
      const answered = () => this.#handUp.step(attempt, { run: async () => resolve(), dropped });
      attempt.channel.ask("drain", {}, { answered, failed });
    });
  }

  sendLive(live: MessageInitShape<typeof SendLiveRequestSchema>): void {
    if (this.#attempt?.loggedIn === true)
      this.#attempt.channel.tell({ case: "sendLive", value: live });
  }

  #loggedIn(): Attempt {
    if (this.#attempt?.loggedIn !== true) throw new ConnectionLostError();
    return this.#attempt;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  #connect(): void {
    this.#cancelRetry();
    const attempt: Attempt = new Attempt(this.#parts, {
      challenged: (challenge) => {
        this.#logIn(attempt, challenge).catch((cause: unknown) => this.#failed(attempt, cause));
      },
      told: (response) => this.#told(attempt, response),
      busy: () => this.#handUp.busy,
      ended: (code) => this.#ended(attempt, code),
    });
    this.#attempt = attempt;
    this.#setState({ kind: "connecting" });
  }

  async #logIn(attempt: Attempt, challenge: Challenge): Promise<void> {
    const hello = await this.#parts.login.hello(challenge);
    attempt.channel.ask(
      "hello",
      { ...hello, version: versionWith(challenge), window: this.#parts.window ?? WINDOW },
      {
        answered: (welcome) => this.#welcomed(attempt, welcome as Welcome),
        failed: (cause) => {
          const unknown = cause instanceof ProtocolError && cause.code === ErrorCode.NOT_FOUND;
          if (unknown && !attempt.offeredAgain)
            this.#offerAgain(attempt, challenge).catch((again: unknown) =>
              this.#failed(attempt, again),
            );
          else this.#failed(attempt, cause);
        },
      },
    );
  }

  /** The server has lost this account, which returns with its receipt (delivery.md 5). */
  async #offerAgain(attempt: Attempt, challenge: Challenge): Promise<void> {
    attempt.offeredAgain = true;
    const signUp = await this.#parts.login.signUpAgain(challenge);
    const version = versionWith(challenge);
    const answer = await attempt.channel.request("signUp", { ...signUp, version });
    await this.#parts.login.signedUpAgain(answer);
    await this.#logIn(attempt, challenge);
  }

  /** In its turn, so that no mail is handed up before. */
  #welcomed(attempt: Attempt, welcome: Welcome): void {
    const { handler, login } = this.#parts;
    attempt.welcomed = true;
    attempt.watch(() => attempt.channel.close(CloseCode.IDLE, "nothing was heard"));
    this.#handUp.step(attempt, {
      run: async () => {
        const rolledBack = await login.welcomed(welcome);
        if (!attempt.channel.alive) return;
        attempt.loggedIn = true;
        this.#setState({ kind: "catching-up" });
        await handler.welcome(welcome, rolledBack);
      },
      dropped: () => {},
    });
  }

  #told(attempt: Attempt, response: ServerFrame["response"]): void {
    const { handler } = this.#parts;
    try {
      if (response.case === "deliver") this.#delivered(attempt, response.value);
      else if (response.case === "drained") this.#drained(attempt);
      else if (response.case === "live") handler.live(response.value.envelope as Envelope);
      else if (response.case === "accountChainMoved")
        handler.accountChainMoved(response.value.ownHead as AccountHead);
      else if (response.case === "mailboxHasRoom") handler.mailboxHasRoom();
      else if (response.case === "presenceChanged") handler.presenceChanged(response.value);
      else if (response.case === "moving")
        attempt.reconnectAfterMs = response.value.reconnectAfterMs;
    } catch (cause) {
      this.#failed(attempt, cause);
    }
  }

  #delivered(attempt: Attempt, { envelopes, firstOrdinal }: Deliver): void {
    if (attempt.welcomed && firstOrdinal === attempt.nextOrdinal) {
      attempt.nextOrdinal += BigInt(envelopes.length);
      this.#handUp.mail(attempt, envelopes, firstOrdinal);
    } else attempt.channel.close(CloseCode.MALFORMED_FRAME, "mail out of turn");
  }

  #drained(attempt: Attempt): void {
    this.#handUp.step(attempt, {
      run: async () => {
        await this.#parts.handler.drained();
        if (!attempt.channel.alive) return;
        this.#backoff.reset();
        this.#setState({ kind: "online" });
      },
      dropped: () => {},
    });
  }

  /** Login, or what was handed up, could not be done. */
  #failed(attempt: Attempt, cause: unknown): void {
    if (attempt !== this.#attempt) return;
    if (cause instanceof ProtocolError) {
      this.#refused(attempt, cause);
    } else if (cause instanceof ConnectionLostError) {
      attempt.channel.close(CloseCode.NORMAL, "to begin again");
    } else {
      this.#stop({ kind: "offline", retryAtMs: undefined });
      this.#parts.fatal(cause);
    }
  }

  #refused(attempt: Attempt, { code, retryAfterMs }: ProtocolError): void {
    const definite = retryAfterMs === undefined && !attempt.welcomed;
    if (code === ErrorCode.VERSION_NOT_SUPPORTED) {
      this.#stop({ kind: "ended", reason: "version-not-supported" });
    } else if (code === ErrorCode.LOGIN_REFUSED || (definite && attempt.offeredAgain)) {
      this.#stop({ kind: "ended", reason: "login-refused" });
    } else {
      attempt.reconnectAfterMs = retryAfterMs ?? 0;
      attempt.channel.close(CloseCode.NORMAL, "to begin again");
    }
  }

  #ended(attempt: Attempt, code: number): void {
    if (attempt !== this.#attempt) return;
    const reconnect = reconnectAfter(code);
    if (reconnect === "never") {
      this.#stop({ kind: "ended", reason: endedBy(code) });
      return;
    }
    const atOnce = reconnect === "at-once" && attempt.loggedIn;
    const delayMs = attempt.reconnectAfterMs + (atOnce ? 0 : this.#backoff.nextDelayMs());
    this.#attempt = undefined;
    this.#cancelRetry = this.#parts.clock.after(delayMs, () => this.#connect());
    this.#setState({ kind: "offline", retryAtMs: this.#parts.clock.now() + delayMs });
  }

  #stop(state: ConnectionState): void {
    this.#cancelRetry();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.channel.close(CloseCode.NORMAL, "done");
    this.#setState(state);
  }
}

function endedBy(code: number): Extract<ConnectionState, { kind: "ended" }>["reason"] {
  switch (code) {
    case CloseCode.REPLACED:
      return "replaced";
    case CloseCode.LOGIN_REFUSED:
      return "login-refused";
    case CloseCode.DEVICE_REMOVED:
      return "device-removed";
    default:
      return "version-not-supported"; // Also a code that is newer than this client: update.
  }
}
