import { crc32 } from "node:zlib";
import {
  type ClientFrame,
  CloseCode,
  decodeClientFrame,
  decodeServerFrame,
  type Envelope,
  ErrorCode,
  type ServerFrame,
  toHex,
} from "@parley/protocol";
import type { History } from "../checker/history.ts";
import type { Link, Side } from "../simulation/link.ts";
import type { Watch } from "../simulation/network.ts";
import type { Trace } from "../simulation/trace.ts";
import type { Counters } from "./sometimes.ts";

/** The first byte of a ciphertext that opens a session. */
const PREKEY_MESSAGE = 0x03;

const FOR_BAD_CONDUCT: readonly number[] = [
  CloseCode.MALFORMED_FRAME,
  CloseCode.OVERLOADED,
  CloseCode.LOGIN_TIMEOUT,
];

export interface WireWatchParts {
  readonly history: History;
  readonly trace: Trace;
  readonly counters: Counters;
  readonly nameOf: (accountId: string) => string;
  /** What goes over that owner's wires is no conversation, and need not be a frame. */
  readonly isHostile: (owner: string) => boolean;
  readonly windowEnvelopes: number | undefined;
}

/** Reads along on every wire: what an ack covers, what comes twice, how sessions begin. */
export class WireWatch implements Watch {
  readonly #parts: WireWatchParts;
  readonly #delivered = new Set<string>();
  readonly #connected = new Set<string>();
  /** Under `${from}/${to}`: `from` has sent a prekey message, `from`'s first one has come to `to`. */
  readonly #began = new Set<string>();
  readonly #reached = new Set<string>();
  /** Under the connection and the request's id: the envelopes of a send that is not answered. */
  readonly #asked = new Map<string, readonly string[]>();
  readonly #signedUp = new Map<string, number>();
  /** Delivered on a connection, and acknowledged there. */
  readonly #underWay = new Map<string, { delivered: number; acked: number }>();

  constructor(parts: WireWatchParts) {
    this.#parts = parts;
  }

  opened({ owner, name }: Link): void {
    this.#parts.trace.note(`${name} opens`);
    if (this.#connected.has(owner)) this.#parts.counters.count("a client connects again");
    this.#connected.add(owner);
  }

  refused(owner: string): void {
    this.#parts.trace.note(`${owner} is refused`);
    this.#parts.counters.count("a connect is refused");
  }

  ended({ name, owner }: Link, at: Side, code: number): void {
    this.#parts.trace.note(`${name} ends at the ${at}: ${code}`);
    if (at !== "client") return;
    const { counters, isHostile } = this.#parts;
    if (code === CloseCode.SLOW_READER) counters.count("a reader that takes nothing is dropped");
    if (isHostile(owner) && FOR_BAD_CONDUCT.includes(code))
      counters.count("a hostile connection is closed");
  }

  cut(link: Link, underWayBytes: number): void {
    this.#parts.trace.note(`${link.name} is cut`);
    if (underWayBytes > 0) this.#parts.counters.count("a connection is cut with frames under way");
  }

  sent(link: Link, by: Side, frame: Uint8Array): void {
    this.#parts.trace.note(`${link.name} ${by} sends`, frame);
    if (this.#parts.isHostile(link.owner)) this.#hostile(by, frame);
    else if (by === "client") this.#clientSent(link, decodeClientFrame(frame).request);
    else this.#serverSent(link, decodeServerFrame(frame));
  }

  received(link: Link, by: Side, frame: Uint8Array): void {
    this.#parts.trace.note(`${link.name} ${by} gets`, frame);
    if (this.#parts.isHostile(link.owner)) return;
    if (by === "client") this.#clientGot(link, decodeServerFrame(frame).response);
    else this.#serverGot(link, decodeClientFrame(frame));
  }

  #clientSent({ owner, name }: Link, request: ClientFrame["request"]): void {
    const { history } = this.#parts;
    if (request.case === "ack")
      history.add(owner, { f: "ack", connection: name, upTo: Number(request.value.upToOrdinal) });
    if (request.case === "sendMessage") {
      const sent = [...request.value.recipientEnvelopes, ...request.value.ownEnvelopes];
      history.add(owner, {
        ...{ f: "offered", envelopes: sent.map(({ id }) => toHex(id)), sums: sent.map(sumOf) },
      });
      const to = this.#parts.nameOf(toHex(request.value.recipientAccount));
      if (request.value.recipientEnvelopes.some(isPrekeyMessage)) this.#began.add(`${owner}/${to}`);
    }
    if (request.case === "signUp") {
      const times = (this.#signedUp.get(owner) ?? 0) + 1;
      this.#signedUp.set(owner, times);
      if (times > 1) this.#parts.counters.count("a sign-up is taken up again");
      if (request.value.receipt.length > 0)
        this.#parts.counters.count("an account that the server had lost signs up again");
    }
  }

  #serverGot({ name }: Link, { requestId, request }: ClientFrame): void {
    if (request.case === "sendMessage") {
      const { recipientEnvelopes, ownEnvelopes } = request.value;
      const ids = [...recipientEnvelopes, ...ownEnvelopes].map(({ id }) => toHex(id));
      this.#asked.set(`${name}/${requestId}`, ids);
    }
    if (request.case !== "ack") return;
    const upTo = Number(request.value.upToOrdinal);
    const flow = this.#underWay.get(name);
    if (flow !== undefined) flow.acked = upTo;
    this.#parts.history.add("server", { f: "acked", connection: name, upTo });
  }

  #serverSent({ name }: Link, { requestId, response }: ServerFrame): void {
    if (response.case === "deliver") {
      const flow = this.#underWay.get(name) ?? { delivered: 0, acked: 0 };
      this.#underWay.set(name, flow);
      flow.delivered += response.value.envelopes.length;
      if (flow.delivered - flow.acked === this.#parts.windowEnvelopes)
        this.#parts.counters.count("a reader's window is full");
    }
    if (response.case !== "sendMessage" || response.value.outcome.case !== "accepted") return;
    const { skippedRecipientDevices, skippedOwnDevices, mark } = response.value.outcome.value;
    const envelopes = this.#asked.get(`${name}/${requestId}`) ?? [];
    // Which ones a full mailbox left out is not said by id.
    if (skippedRecipientDevices.length + skippedOwnDevices.length > 0) return;
    this.#parts.history.add("server", { f: "accepted", envelopes, mark: Number(mark) });
  }

  #clientGot({ owner, name }: Link, response: ServerFrame["response"]): void {
    const { history, counters } = this.#parts;
    if (response.case === "deliver") {
      const { firstOrdinal, envelopes } = response.value;
      const ids = envelopes.map(({ id }) => toHex(id));
      history.add(owner, {
        ...{ f: "deliver", connection: name, first: Number(firstOrdinal), envelopes: ids },
        sums: envelopes.map((each) => (this.#isFromPeople(each) ? sumOf(each) : undefined)),
      });
      for (const envelope of envelopes) this.#envelope(owner, envelope);
    }
    if (response.case === "welcome" && response.value.epochs.length > 1)
      counters.count("a welcome names more than one epoch");
    if (response.case === "fetchPrekeyBundles")
      for (const { oneTimePrekey } of response.value.bundles)
        counters.count(
          oneTimePrekey === undefined
            ? "a last-resort prekey is used"
            : "a one-time prekey is used",
        );
  }

  #hostile(by: Side, frame: Uint8Array): void {
    if (by === "client") return;
    const { response } = decodeServerFrame(frame);
    if (response.case === "error" && response.value.code === ErrorCode.RATE_LIMITED)
      this.#parts.counters.count("a flood is refused over its budget");
    if (response.case === "sendMessage")
      this.#parts.counters.count("a flood within its budget is taken");
  }

  #isFromPeople({ sourceAccount }: Envelope): boolean {
    return !this.#parts.isHostile(this.#parts.nameOf(toHex(sourceAccount)));
  }

  #envelope(owner: string, envelope: Envelope): void {
    const { counters } = this.#parts;
    const name = `${owner}/${toHex(envelope.id)}`;
    if (this.#delivered.has(name)) counters.count("an envelope is delivered again");
    this.#delivered.add(name);
    const from = this.#parts.nameOf(toHex(envelope.sourceAccount));
    const first = !this.#reached.has(`${from}/${owner}`);
    this.#reached.add(`${from}/${owner}`);
    if (
      first &&
      isPrekeyMessage(envelope) &&
      this.#began.has(`${owner}/${from}`) &&
      !this.#reached.has(`${owner}/${from}`)
    )
      counters.count("both sides begin a session at once");
  }
}

const sumOf = ({ ciphertext }: { readonly ciphertext: Uint8Array }): number => crc32(ciphertext);

function isPrekeyMessage({ ciphertext }: Envelope): boolean {
  return ciphertext[0] === PREKEY_MESSAGE;
}
