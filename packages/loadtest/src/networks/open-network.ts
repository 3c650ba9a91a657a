import { MqttNetwork } from "./mqtt/mqtt-network.ts";
import type { Network, NetworkKind } from "./network.ts";
import { ParleyNetwork } from "./parley/parley-network.ts";
import { XmppNetwork } from "./xmpp/xmpp-network.ts";

export interface Place {
  readonly network: NetworkKind;
  readonly port: number;
  /** Names its people, where the server does not number them itself. */
  readonly world: string;
}

export function openNetwork({ network, port, world }: Place): Network {
  switch (network) {
    case "parley":
      return new ParleyNetwork(port, world);
    case "xmpp":
      return new XmppNetwork(port);
    case "mqtt":
      return new MqttNetwork(port, world);
  }
}
