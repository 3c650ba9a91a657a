import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  type Envelope,
  type ServerFrame,
  toHex,
} from "@parley/protocol";
import type { History } from "../checker/history.ts";
import type { Link, Side } from "../simulation/link.ts";
import type { Watch } from "../simulation/network.ts";
import type { Trace } from "../simulation/trace.ts";
import type { Counters } from "./sometimes.ts";

/** The first byte of a ciphertext that opens a session: with SPQR, and without. */
const PREKEY_MESSAGE = 0x03;

export interface WireWatchParts {
  readonly history: History;
  readonly trace: Trace;
  readonly counters: Counters;
  readonly nameOf: (accountId: string) => string;
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

  ended({ name }: Link, at: Side, code: number): void {
    this.#parts.trace.note(`${name} ends at the ${at}: ${code}`);
  }

  cut(link: Link, underWayBytes: number): void {
    this.#parts.trace.note(`${link.name} is cut`);
    if (underWayBytes > 0) this.#parts.counters.count("a connection is cut with frames under way");
  }

  sent(link: Link, by: Side, frame: Uint8Array): void {
    this.#parts.trace.note(`${link.name} ${by} sends`, frame);
    if (by === "client") this.#clientSent(link, decodeClientFrame(frame).request);
    else this.#serverSent(link, decodeServerFrame(frame));
  }

  received(link: Link, by: Side, frame: Uint8Array): void {
    this.#parts.trace.note(`${link.name} ${by} gets`, frame);
    if (by === "client") this.#clientGot(link, decodeServerFrame(frame).response);
    else this.#serverGot(link, decodeClientFrame(frame));
  }

  #clientSent({ owner, name }: Link, request: ClientFrame["request"]): void {
    const { history } = this.#parts;
    if (request.case === "ack")
      history.add(owner, { f: "ack", connection: name, upTo: Number(request.value.upToOrdinal) });
    if (request.case === "sendMessage") {
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
    this.#parts.history.add("server", { f: "acked", connection: name, upTo });
  }

  #serverSent({ name }: Link, { requestId, response }: ServerFrame): void {
    if (response.case !== "sendMessage" || response.value.outcome.case !== "accepted") return;
    const { skippedRecipientDevices, skippedOwnDevices } = response.value.outcome.value;
    const envelopes = this.#asked.get(`${name}/${requestId}`) ?? [];
    // Which ones a full mailbox left out is not said by id.
    if (skippedRecipientDevices.length + skippedOwnDevices.length > 0) return;
    this.#parts.history.add("server", { f: "accepted", envelopes });
  }

  #clientGot({ owner, name }: Link, response: ServerFrame["response"]): void {
    const { history, counters } = this.#parts;
    if (response.case === "deliver") {
      const { firstOrdinal, envelopes } = response.value;
      const ids = envelopes.map(({ id }) => toHex(id));
      history.add(owner, {
        ...{ f: "deliver", connection: name, first: Number(firstOrdinal), envelopes: ids },
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

function isPrekeyMessage({ ciphertext }: Envelope): boolean {
  return ciphertext[0] === PREKEY_MESSAGE;
}
