import type { Account } from "../parley/account.ts";
import type { Device } from "../parley/device.ts";
import { MessageTemplate, stampAt } from "../parley/message-template.ts";
import { ServerFrameScan } from "../parley/server-frame.ts";
import { ack } from "./ack.ts";

export interface PartyEvents {
  /** That many were accepted in one read. */
  accepted(count: number): void;
  /** One came, in its order. */
  delivered(sentAt: number): void;
  /** All that came in one read is acknowledged. */
  batch(): void;
  failed(cause: Error): void;
}

/** One end of a conversation: sends to the other end, acknowledges what comes from there, counts both. */
export class Party {
  sent = 0;
  accepted = 0;
  delivered = 0;
  readonly #device: Device;
  readonly #template: MessageTemplate;
  readonly #events: PartyEvents;
  readonly #scan: ServerFrameScan;
  #acceptedInRead = 0;
  #lastOrdinal = 0;
  #ackedOrdinal = 0;

  constructor(device: Device, other: Account, events: PartyEvents) {
    this.#device = device;
    this.#template = new MessageTemplate(device.account, other, device.socket.maskKey);
    this.#events = events;
    this.#scan = new ServerFrameScan({
      accepted: () => {
        this.#acceptedInRead++;
      },
      envelope: (bytes, start) => this.#envelope(bytes, start),
      delivered: (lastOrdinal) => {
        this.#lastOrdinal = lastOrdinal;
      },
      other: ({ response }) => {
        if (response.case === "error")
          throw new Error(`the server answers ${response.value.code} ${response.value.message}`);
      },
    });
    device.socket.handOver({
      message: (bytes, start, end) => this.#guarded(() => this.#scan.scan(bytes, start, end)),
      read: () => this.#guarded(() => this.#read()),
      closed: (reason) => events.failed(new Error(`a connection was lost: ${reason}`)),
    });
  }

  /** In one write. */
  send(count: number): void {
    const { frameBytes } = this.#template;
    const frames = Buffer.allocUnsafe(count * frameBytes);
    const sentAt = performance.now();
    for (let i = 0; i < count; i++)
      this.#template.put(frames, i * frameBytes, { number: this.sent++, sentAt });
    this.#device.socket.write(frames);
  }

  close(): void {
    this.#device.socket.cut();
  }

  #envelope(bytes: Buffer, start: number): void {
    const { sentAt, number } = stampAt(bytes, start);
    if (number !== this.delivered)
      throw new Error(`message ${number} came where ${this.delivered} was due`);
    this.delivered++;
    this.#events.delivered(sentAt);
  }

  /** As our client does: what came together is one commit, and then one ack. */
  #read(): void {
    if (this.#lastOrdinal > this.#ackedOrdinal) {
      this.#ackedOrdinal = this.#lastOrdinal;
      this.#device.socket.send(ack(this.#lastOrdinal));
      this.#events.batch();
    }
    if (this.#acceptedInRead === 0) return;
    const count = this.#acceptedInRead;
    this.#acceptedInRead = 0;
    this.accepted += count;
    this.#events.accepted(count);
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.#events.failed(cause as Error);
    }
  }
}
