import { randomBytes } from "node:crypto";
import { ENVELOPE_BYTES, type Endpoint, type EndpointEvents, type Network } from "../network.ts";
import { Tally } from "../tally.ts";
import { attributeOf } from "./stanza-reader.ts";
import { ASK, ackOf, addressOf, XmppLink } from "./xmpp-link.ts";

const STANZAS = new Set(["message", "presence", "iq"]);

/**
 * Accounts that are there already. *Accepted* is the server's ack of stream management: ejabberd gives it once it
 * has handled the stanza, which by then is in the sender's archive, committed in PostgreSQL.
 */
export class XmppNetwork implements Network {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  signUp(): Promise<void> {
    return Promise.resolve();
  }

  async join(number: number, other: number | undefined, events: EndpointEvents): Promise<Endpoint> {
    const link = await XmppLink.open(this.#port, number);
    const endpoint = new XmppEndpoint(link, addressOf(other ?? number), events);
    await endpoint.appear();
    return endpoint;
  }

  /** Presence begins the drain. */
  async openDrain(number: number, expected: number): Promise<() => Promise<number>> {
    const link = await XmppLink.open(this.#port, number);
    return () => drain(link, expected).finally(() => link.close());
  }
}

class XmppEndpoint implements Endpoint {
  readonly #link: XmppLink;
  readonly #address: string;
  readonly #body = randomBytes(ENVELOPE_BYTES).toString("base64");
  readonly #tally: Tally;
  /** Stanzas that this side has handled, and that the other side says it has. */
  #handled = 0;
  #handledThere = 0;
  #isAsked = false;
  #onPresence: () => void = () => undefined;

  constructor(link: XmppLink, address: string, events: EndpointEvents) {
    this.#link = link;
    this.#address = address;
    this.#tally = new Tally(events);
    link.handlers = {
      stanza: (name, stanza) => this.#stanza(name, stanza),
      read: () => this.#read(),
      closed: (reason) => events.failed(new Error(`a connection was lost: ${reason}`)),
    };
  }

  get sent(): number {
    return this.#tally.sent;
  }

  get accepted(): number {
    return this.#tally.accepted;
  }

  get delivered(): number {
    return this.#tally.delivered;
  }

  /** From here on messages come. It is the first stanza that the server counts. */
  appear(): Promise<void> {
    this.#handledThere = 1;
    return new Promise((resolve) => {
      this.#onPresence = resolve;
      this.#link.write("<presence/>");
    });
  }

  send(count: number, sentAt = performance.now()): void {
    let text = "";
    for (let i = 0; i < count; i++)
      text += `<message to='${this.#address}' type='chat' id='${this.#tally.sent++}/${sentAt}'><body>${this.#body}</body></message>`;
    this.#link.write(text + ASK);
  }

  close(): void {
    this.#link.close();
  }

  #stanza(name: string, stanza: string): void {
    if (STANZAS.has(name)) this.#handled++;
    if (name === "message") {
      if (attributeOf(stanza, "type") === "error") throw new Error(stanza);
      const [number, sentAt] = (attributeOf(stanza, "id") ?? "").split("/");
      this.#tally.deliver(Number(number), Number(sentAt));
    } else if (name === "r") this.#isAsked = true;
    else if (name === "a") {
      const handled = Number(attributeOf(stanza, "h"));
      this.#tally.accept(handled - this.#handledThere);
      this.#handledThere = handled;
    } else if (name === "presence") this.#onPresence();
  }

  #read(): void {
    if (this.#isAsked) this.#link.write(ackOf(this.#handled));
    this.#isAsked = false;
    this.#tally.read();
  }
}

/** From presence until the server has answered a request behind the last ack. */
function drain(link: XmppLink, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let [came, handled, isAsked] = [0, 0, false];
    link.handlers = {
      stanza: (name) => {
        if (STANZAS.has(name)) handled++;
        if (name === "message") came++;
        if (name === "r") isAsked = true;
        if (name === "iq") resolve(came);
      },
      read: () => {
        if (came >= expected)
          link.write(
            `${ackOf(handled)}<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>`,
          );
        else if (isAsked) link.write(ackOf(handled));
        isAsked = false;
      },
      closed: (reason) => reject(new Error(reason)),
    };
    link.write("<presence/>");
  });
}
