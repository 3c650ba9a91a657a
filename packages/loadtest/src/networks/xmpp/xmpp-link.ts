import net from "node:net";
import { type OnStanza, StanzaReader } from "./stanza-reader.ts";

const DOMAIN = "localhost";
const RESOURCE = "load";
const PASSWORD = "parley";
const STREAM_MANAGEMENT = "urn:xmpp:sm:3";

export const ASK = `<r xmlns='${STREAM_MANAGEMENT}'/>`;
export const ackOf = (handled: number) => `<a xmlns='${STREAM_MANAGEMENT}' h='${handled}'/>`;
export const addressOf = (number: number) => `user${number}@${DOMAIN}`;

export interface LinkHandlers {
  readonly stanza: OnStanza;
  read?(): void;
  closed(reason: string): void;
}

/** A stream to an XMPP server: authenticated, bound to a resource, with stream management; not yet present. */
export class XmppLink {
  handlers: LinkHandlers = { stanza: () => undefined, closed: () => undefined };
  readonly #socket: net.Socket;
  #isClosed = false;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const reader = () => new StanzaReader((name, stanza) => this.handlers.stanza(name, stanza));
    const stanzas = reader();
    socket.on("data", (chunk: Buffer) => {
      stanzas.push(chunk);
      this.handlers.read?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!this.#isClosed) this.handlers.closed("the connection was cut");
    });
  }

  static async open(port: number, number: number): Promise<XmppLink> {
    const link = new XmppLink(await connected(port));
    await link.ask(STREAM, "stream:features");
    const plain = Buffer.from(`\0user${number}\0${PASSWORD}`).toString("base64");
    await link.ask(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`,
      "success",
    );
    await link.ask(STREAM, "stream:features");
    await link.ask(
      `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${RESOURCE}</resource></bind></iq>`,
      "iq",
    );
    await link.ask(`<enable xmlns='${STREAM_MANAGEMENT}'/>`, "enabled");
    return link;
  }

  /** Until an element of that name comes. */
  ask(text: string, answer: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.handlers = {
        stanza: (name, stanza) => {
          if (name === answer) resolve(stanza);
          else if (/failure|error|failed/.test(name)) reject(new Error(stanza));
        },
        closed: (reason) => reject(new Error(reason)),
      };
      this.write(text);
    });
  }

  write(text: string): void {
    this.#socket.write(text, "latin1");
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}

const STREAM = `<stream:stream to='${DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

function connected(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}
