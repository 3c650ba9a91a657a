import { encodeClientFrame } from "@parley/protocol";
import type { Endpoint, EndpointEvents, Network } from "../network.ts";
import { accountOf } from "./account.ts";
import { ack } from "./ack.ts";
import { Device } from "./device.ts";
import { ParleyEndpoint } from "./parley-endpoint.ts";
import { ServerFrameScan } from "./server-frame.ts";

const DRAIN_REQUEST_ID = 1000;

export class ParleyNetwork implements Network {
  readonly #port: number;
  readonly #world: string;

  constructor(port: number, world: string) {
    this.#port = port;
    this.#world = world;
  }

  signUp(number: number): Promise<void> {
    return Device.signUp(accountOf(this.#world, number), this.#port);
  }

  async join(number: number, other: number | undefined, events: EndpointEvents): Promise<Endpoint> {
    const device = await Device.logIn(accountOf(this.#world, number), this.#port);
    const to = other === undefined ? undefined : accountOf(this.#world, other);
    return new ParleyEndpoint(device, to, events);
  }

  /** Connected and challenged; hello begins the drain. */
  async openDrain(number: number, expected: number): Promise<() => Promise<number>> {
    const device = await Device.connect(accountOf(this.#world, number), this.#port);
    const challenge = await device.challenge();
    return () => drain(device, challenge, expected).finally(() => device.socket.cut());
  }
}

/** Resolves with how many came, once the server has answered behind the last ack. */
function drain(device: Device, challenge: Uint8Array, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let [came, lastOrdinal, ackedOrdinal] = [0, 0, 0];
    const { socket } = device;
    const scan = new ServerFrameScan({
      accepted: () => undefined,
      envelope: () => {
        came++;
      },
      delivered: (ordinal) => {
        lastOrdinal = ordinal;
      },
      other: ({ requestId, response }) => {
        if (response.case === "drained" && requestId === DRAIN_REQUEST_ID) resolve(came);
        if (response.case === "error") reject(new Error(response.value.message));
      },
    });
    device.onWelcome = {
      message: (bytes, start, end) => scan.scan(bytes, start, end),
      read: () => {
        if (lastOrdinal === ackedOrdinal) return;
        ackedOrdinal = lastOrdinal;
        socket.send(ack(lastOrdinal));
        if (came >= expected)
          socket.send(
            encodeClientFrame({
              requestId: DRAIN_REQUEST_ID,
              request: { case: "drain", value: {} },
            }),
          );
      },
      closed: (reason) => reject(new Error(`a connection was lost: ${reason}`)),
    };
    device.greet(challenge).catch(reject);
  });
}
