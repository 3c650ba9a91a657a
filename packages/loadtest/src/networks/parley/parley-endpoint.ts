import type { Endpoint, EndpointEvents } from "../network.ts";
import { Tally } from "../tally.ts";
import type { Account } from "./account.ts";
import { ack } from "./ack.ts";
import type { Device } from "./device.ts";
import { MessageTemplate, stampAt } from "./message-template.ts";
import { ServerFrameScan } from "./server-frame.ts";

export class ParleyEndpoint implements Endpoint {
  readonly #device: Device;
  readonly #template: MessageTemplate | undefined;
  readonly #tally: Tally;
  #lastOrdinal = 0;
  #ackedOrdinal = 0;

  constructor(device: Device, other: Account | undefined, events: EndpointEvents) {
    this.#device = device;
    const { account, socket } = device;
    this.#template = other && new MessageTemplate(account, other, socket.maskKey);
    const tally = new Tally(events);
    this.#tally = tally;
    const scan = new ServerFrameScan({
      accepted: () => tally.accept(1),
      envelope: (bytes, start) => {
        const { number, sentAt } = stampAt(bytes, start);
        tally.deliver(number, sentAt);
      },
      delivered: (lastOrdinal) => {
        this.#lastOrdinal = lastOrdinal;
      },
      other: ({ response }) => {
        if (response.case === "error")
          throw new Error(`the server answers ${response.value.code} ${response.value.message}`);
      },
    });
    socket.handOver({
      message: (bytes, start, end) => scan.scan(bytes, start, end),
      read: () => this.#read(),
      closed: (reason) => events.failed(new Error(`a connection was lost: ${reason}`)),
    });
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
    const template = this.#template;
    if (template === undefined) throw new Error("nobody to write to");
    const frames = Buffer.allocUnsafe(count * template.frameBytes);
    for (let i = 0; i < count; i++)
      template.put(frames, i * template.frameBytes, { number: this.#tally.sent++, sentAt });
    this.#device.socket.write(frames);
  }

  close(): void {
    this.#device.socket.cut();
  }

  /** As our client does: what came together is one commit, and then one ack. */
  #read(): void {
    if (this.#lastOrdinal > this.#ackedOrdinal) {
      this.#ackedOrdinal = this.#lastOrdinal;
      this.#device.socket.send(ack(this.#lastOrdinal));
    }
    this.#tally.read();
  }
}
