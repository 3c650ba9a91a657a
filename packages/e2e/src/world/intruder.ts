import type { MessengerApi, OpenSocket } from "@parley/client";
import { MemoryClientStore } from "@parley/client/memory";
import {
  CLIENT_FRAME_BYTES_MAX,
  decodeClientFrame,
  encodeClientFrame,
  type SendMessageRequest,
} from "@parley/protocol";
import type { History } from "../checker/history.ts";
import { Life, LifeClock } from "../simulation/life.ts";
import type { Network } from "../simulation/network.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import { openMessenger } from "./open-messenger.ts";

export const INTRUDER = "mallory";

export interface IntruderParts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly history: History;
  readonly isNarrow: boolean;
}

type Raw = (frame: Uint8Array) => void;
type Flood =
  | "sends"
  | "copies with other bytes"
  | "look-ups"
  | "drains"
  | "too long"
  | "garbage"
  | "ack of nothing"
  | "look-ups, answers not taken"
  | "connections";

/** How often something is sent, and how much of it at once: well beyond any budget, and still cheap to run. */
const ROUNDS = 30;
const FRAMES_A_ROUND = 30;
const ROUND_MS = 100;
/** Their answers are to be more than the server holds for anybody. */
const UNREAD_FRAMES_A_ROUND = 400;
/** Above the longest way there. */
const UNREAD_MS = 15_000;
const CONNECTIONS = 20;
/** Requests of its messenger count from 1. */
const FIRST_REQUEST_ID = 1_000_000;
const BEYOND = 10n ** 9n;

/**
 * Somebody with an account like any other and a program that keeps to nothing: it logs in as everybody does,
 * and then says on the same connection what no client of ours would.
 */
export class Intruder {
  accountId: string | undefined;
  readonly #parts: IntruderParts;
  readonly #life = new Life();
  #opened: Promise<MessengerApi> | undefined;
  #raw: Raw | undefined;
  /** A send of its own that the server took, or would take. */
  #template: SendMessageRequest | undefined;
  #requestId = FIRST_REQUEST_ID;

  constructor(parts: IntruderParts) {
    this.#parts = parts;
    parts.network.setSteady(INTRUDER);
  }

  /** Begins where it has not, and floods once it can. */
  async flood(victim: string): Promise<void> {
    const { random, history } = this.#parts;
    const flood = random.weighted<Flood>({
      ...{ sends: 4, "copies with other bytes": 1, "look-ups": 1, drains: 1 },
      // Where the server holds little for a reader, so that it can be more.
      "look-ups, answers not taken": this.#parts.isNarrow ? 12 : 1,
      ...{ "too long": 1, garbage: 1, "ack of nothing": 1, connections: 1 },
    });
    history.add(INTRUDER, { f: "fault", fault: "flood", detail: flood });
    if (flood === "connections") return this.#connect();
    await this.#meet(victim);
    await this.#say(flood);
  }

  end(): void {
    this.#life.end();
  }

  async #meet(victim: string): Promise<void> {
    this.#opened ??= this.#open();
    const messenger = await this.#opened;
    await messenger.caughtUp();
    const { accountId } = await messenger.resolveHandle(victim);
    const { messageId } = await messenger.sendText(accountId, "you do not know me");
    await messenger.reached(messageId, "sent");
  }

  async #open(): Promise<MessengerApi> {
    const { clock, random, network } = this.#parts;
    const life = this.#life;
    const messenger = await openMessenger({
      store: new MemoryClientStore(),
      openSocket: this.#openSocket(network.socketsOf(INTRUDER, life) as OpenSocket),
      clock: new LifeClock(clock, life, { offsetMs: 0 }),
      random: (count) => random.bytes(count),
      oneTimeStock: { full: 2, least: 1 },
      onFatal: () => undefined,
    });
    messenger.start();
    const { accountId } = await messenger.signUp({ handle: INTRUDER });
    this.accountId = accountId;
    return messenger;
  }

  /** A socket over which its messenger talks, and which it keeps for itself. */
  #openSocket(open: OpenSocket): OpenSocket {
    return (serverUrl, events) => {
      const socket = open(serverUrl, events);
      this.#raw = (frame) => socket.send(frame);
      return {
        close: (code, reason) => socket.close(code, reason),
        send: (frame) => {
          const { request } = decodeClientFrame(frame);
          if (request.case === "sendMessage") this.#template = request.value;
          socket.send(frame);
        },
      };
    };
  }

  async #say(flood: Exclude<Flood, "connections">): Promise<void> {
    const { clock, network } = this.#parts;
    const takesNothing = flood === "look-ups, answers not taken";
    if (takesNothing) network.setReading(INTRUDER, false);
    const frames = takesNothing ? UNREAD_FRAMES_A_ROUND : FRAMES_A_ROUND;
    for (let round = 0; round < ROUNDS && this.#life.alive; round++) {
      for (let i = 0; i < frames; i++) this.#raw?.(this.#frame(flood));
      await clock.sleep(ROUND_MS);
    }
    if (takesNothing) await clock.sleep(UNREAD_MS);
    network.setReading(INTRUDER, true);
  }

  #frame(flood: Exclude<Flood, "connections">): Uint8Array {
    const { random } = this.#parts;
    switch (flood) {
      case "sends":
        return this.#send(random.bytes(16));
      case "copies with other bytes":
        return this.#send(undefined);
      case "look-ups":
      case "look-ups, answers not taken":
        return this.#ask({ case: "lookUpHandle", value: { handle: `x${random.uint32()}` } });
      case "drains":
        return this.#ask({ case: "drain", value: {} });
      case "too long":
        return random.bytes(CLIENT_FRAME_BYTES_MAX + 1);
      case "garbage":
        return random.bytes(random.integer(1, 200));
      case "ack of nothing":
        return encodeClientFrame({ request: { case: "ack", value: { upToOrdinal: BEYOND } } });
    }
  }

  /** With an id of its own, or with one that is taken and other bytes. */
  #send(id: Uint8Array | undefined): Uint8Array {
    if (this.#template === undefined) return this.#ask({ case: "drain", value: {} });
    const ciphertext = (bytes: Uint8Array) =>
      id === undefined ? this.#parts.random.bytes(bytes.length) : bytes;
    return this.#ask({
      case: "sendMessage",
      value: {
        ...this.#template,
        recipientEnvelopes: this.#template.recipientEnvelopes.map((envelope) => ({
          ...{ ...envelope, id: id ?? envelope.id },
          ciphertext: ciphertext(envelope.ciphertext),
        })),
      },
    });
  }

  #ask(request: NonNullable<Parameters<typeof encodeClientFrame>[0]["request"]>): Uint8Array {
    return encodeClientFrame({ requestId: this.#requestId++, request });
  }

  /** They never log in. */
  #connect(): void {
    const { network } = this.#parts;
    const open = network.socketsOf(INTRUDER, this.#life) as OpenSocket;
    const nothing = () => undefined;
    for (let i = 0; i < CONNECTIONS; i++)
      open("", { opened: nothing, received: nothing, closed: nothing });
  }
}
