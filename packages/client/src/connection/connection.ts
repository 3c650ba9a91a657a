import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SendLiveRequestSchema } from "@parley/protocol";
import type { ConnectionState } from "../api.ts";
import type { AnswerOf, RequestCase, RequestOf } from "./requests.ts";

/** What the upper half may do with the connection. */
export interface Connection {
  readonly state: ConnectionState;
  /** Called at each change, with the new state. The return value takes the listener away. */
  onState(listener: (state: ConnectionState) => void): () => void;

  /**
   * Connects, and stays connected until `close` or until the server ends it for good. Repeats safely: while
   * it waits to come back it connects at once, and after an end it tries again.
   */
  start(): void;
  /** Ends it. Requests under way reject with ConnectionLostError; batches already handed up may finish. */
  close(): Promise<void>;

  /**
   * Rejects with ProtocolError where the server refuses (`retryAfterMs` says whether and when to repeat),
   * and with ConnectionLostError where there is no connection that is logged in, or it ends first.
   */
  request<C extends RequestCase>(name: C, value: RequestOf<C>): Promise<AnswerOf<C>>;
  /**
   * Resolves once everything that the server had accepted before the question has been handled here
   * (delivery.md 4). Rejects with ConnectionLostError.
   */
  drain(): Promise<void>;
  /** Not answered; dropped where there is no connection. */
  sendLive(live: MessageInitShape<typeof SendLiveRequestSchema>): void;
}
