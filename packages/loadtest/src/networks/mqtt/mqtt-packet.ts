/** MQTT 3.1.1, section 2.2.1: the types that we meet, in their place in the first byte. */
export const PACKET = {
  connect: 0x10,
  connectAck: 0x20,
  publish: 0x30,
  publishAck: 0x40,
  subscribe: 0x80,
  subscribeAck: 0x90,
  pingRequest: 0xc0,
  pingResponse: 0xd0,
} as const;

const PROTOCOL_LEVEL = 4;
/** Section 2.2.2: what a SUBSCRIBE has to carry. */
const SUBSCRIBE_FLAGS = 0x02;
const QOS_1 = 0x02;
/** Section 3.1.10: none, so that nobody needs a timer. */
const KEEP_ALIVE = 0;

/** A session that outlives its connection: clean session is not set. */
export function connectPacket(clientId: string): Buffer {
  const head = [...text("MQTT"), PROTOCOL_LEVEL, 0, KEEP_ALIVE, KEEP_ALIVE];
  return packet(PACKET.connect, Buffer.from([...head, ...text(clientId)]));
}

export function subscribePacket(packetId: number, topic: string): Buffer {
  const body = [...uint16(packetId), ...text(topic), 1];
  return packet(PACKET.subscribe | SUBSCRIBE_FLAGS, Buffer.from(body));
}

/** QoS 1. Where the packet id stands: `publishIdOffset`; the payload ends it. */
export function publishPacket(topic: string, payload: Buffer): Buffer {
  const head = Buffer.from([...text(topic), 0, 0]);
  return packet(PACKET.publish | QOS_1, Buffer.concat([head, payload]));
}

export function publishAckPacket(packetId: number): Buffer {
  return Buffer.from([PACKET.publishAck, 2, ...uint16(packetId)]);
}

export const pingRequestPacket = (): Buffer => Buffer.from([PACKET.pingRequest, 0]);

/** The body stands in `bytes` from `start` to `end`. */
export type OnPacket = (type: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts a stream into packets. */
export class PacketReader {
  readonly #onPacket: OnPacket;
  #rest: Buffer | undefined;

  constructor(onPacket: OnPacket) {
    this.#onPacket = onPacket;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    for (let at = 0; at < bytes.length; ) {
      const body = bodyOf(bytes, at);
      if (body === undefined || body.end > bytes.length) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      this.#onPacket((bytes[at] as number) & 0xf0, bytes, body.start, body.end);
      at = body.end;
    }
  }
}

/** Undefined: its length is not complete. */
function bodyOf(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  let length = 0;
  for (let i = at + 1, factor = 1; i < bytes.length; i++, factor *= 128) {
    const byte = bytes[i] as number;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return { start: i + 1, end: i + 1 + length };
  }
  return undefined;
}

function packet(firstByte: number, body: Buffer): Buffer {
  const head = [firstByte];
  let rest = body.length;
  for (; rest >= 128; rest >>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), body]);
}

const text = (value: string) => [...uint16(Buffer.byteLength(value)), ...Buffer.from(value)];
const uint16 = (value: number) => [value >> 8, value & 0xff];
