import { randomBytes } from "node:crypto";
import net from "node:net";
import { ENVELOPE_BYTES, type Endpoint, type EndpointEvents, type Network } from "../network.ts";
import { Tally } from "../tally.ts";
import {
  connectPacket,
  PACKET,
  PacketReader,
  pingRequestPacket,
  publishAckPacket,
  publishPacket,
  subscribePacket,
} from "./mqtt-packet.ts";

const STAMP_BYTES = 12;
/** Packet ids are 16 bits and not 0; only those under way must differ. */
const PACKET_IDS = 65_535;
const SUBSCRIBE_ID = 1;

/** Persistent sessions; everybody has a topic that he alone subscribes to; QoS 1 both ways. */
export class MqttNetwork implements Network {
  readonly #port: number;
  readonly #world: string;

  constructor(port: number, world: string) {
    this.#port = port;
    this.#world = world;
  }

  async signUp(number: number): Promise<void> {
    const link = await MqttLink.open(this.#port);
    await this.#logIn(link, number);
    link.close();
  }

  async join(number: number, other: number | undefined, events: EndpointEvents): Promise<Endpoint> {
    const link = await MqttLink.open(this.#port);
    await this.#logIn(link, number);
    return new MqttEndpoint(link, this.#nameOf(other ?? number), events);
  }

  async openDrain(number: number, expected: number): Promise<() => Promise<number>> {
    const link = await MqttLink.open(this.#port);
    return () => drain(link, this.#nameOf(number), expected).finally(() => link.close());
  }

  async #logIn(link: MqttLink, number: number): Promise<void> {
    const name = this.#nameOf(number);
    await link.ask(connectPacket(name), PACKET.connectAck);
    await link.ask(subscribePacket(SUBSCRIBE_ID, name), PACKET.subscribeAck);
  }

  #nameOf(number: number): string {
    return `${this.#world.slice(0, 8)}/${number}`;
  }
}

interface LinkHandlers {
  packet(type: number, bytes: Buffer, start: number, end: number): void;
  read?(): void;
  closed(reason: string): void;
}

class MqttLink {
  readonly #socket: net.Socket;
  #isClosed = false;
  handlers: LinkHandlers = { packet: () => undefined, closed: () => undefined };

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const reader = new PacketReader((...given) => this.handlers.packet(...given));
    socket.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      this.handlers.read?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!this.#isClosed) this.handlers.closed("the connection was cut");
    });
  }

  static open(port: number): Promise<MqttLink> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new MqttLink(socket)));
    });
  }

  ask(packet: Buffer, answer: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.handlers = {
        packet: (type) => (type === answer ? resolve() : reject(new Error(`packet ${type} came`))),
        closed: (reason) => reject(new Error(reason)),
      };
      this.write(packet);
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}

class MqttEndpoint implements Endpoint {
  readonly #link: MqttLink;
  readonly #template: Buffer;
  readonly #tally: Tally;
  #acks: Buffer[] = [];

  constructor(link: MqttLink, topic: string, events: EndpointEvents) {
    this.#link = link;
    this.#template = publishPacket(topic, randomBytes(ENVELOPE_BYTES));
    this.#tally = new Tally(events);
    link.handlers = {
      packet: (type, bytes, start, end) => this.#packet(type, bytes, start, end),
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

  send(count: number, sentAt = performance.now()): void {
    const { length } = this.#template;
    const packets = Buffer.allocUnsafe(count * length);
    for (let i = 0; i < count; i++) {
      const payload = i * length + length - ENVELOPE_BYTES;
      const number = this.#tally.sent++;
      this.#template.copy(packets, i * length);
      packets.writeUInt16BE(1 + (number % PACKET_IDS), payload - 2);
      packets.writeDoubleLE(sentAt, payload);
      packets.writeUInt32LE(number, payload + 8);
    }
    this.#link.write(packets);
  }

  close(): void {
    this.#link.close();
  }

  #packet(...[type, bytes, start, end]: Parameters<LinkHandlers["packet"]>): void {
    if (type === PACKET.publishAck) this.#tally.accept(1);
    else if (type === PACKET.publish) {
      const { packetId, payload } = publishIn(bytes, start, end);
      this.#acks.push(publishAckPacket(packetId));
      this.#tally.deliver(bytes.readUInt32LE(payload + 8), bytes.readDoubleLE(payload));
    }
  }

  #read(): void {
    if (this.#acks.length > 0) this.#link.write(Buffer.concat(this.#acks));
    this.#acks = [];
    this.#tally.read();
  }
}

/** From CONNECT until the broker has answered a ping behind the last acknowledgement. */
function drain(link: MqttLink, name: string, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let came = 0;
    let acks: Buffer[] = [];
    link.handlers = {
      packet: (type, bytes, start, end) => {
        if (type === PACKET.pingResponse) resolve(came);
        if (type !== PACKET.publish) return;
        came++;
        acks.push(publishAckPacket(publishIn(bytes, start, end).packetId));
      },
      read: () => {
        if (acks.length === 0) return;
        if (came >= expected) acks.push(pingRequestPacket());
        link.write(Buffer.concat(acks));
        acks = [];
      },
      closed: (reason) => reject(new Error(reason)),
    };
    link.write(connectPacket(name));
  });
}

function publishIn(bytes: Buffer, start: number, end: number) {
  const idAt = start + 2 + bytes.readUInt16BE(start);
  const payload = idAt + 2;
  if (end - payload !== ENVELOPE_BYTES || payload + STAMP_BYTES > end)
    throw new Error("another message than ours");
  return { packetId: bytes.readUInt16BE(idAt), payload };
}
