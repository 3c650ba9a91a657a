import {
  type ClientStore,
  type Clock,
  type FlowWindow,
  Messenger,
  type MessengerApi,
  type OneTimeStock,
  type OpenSocket,
  type Random,
} from "@parley/client";
import { nodeCrypto } from "@parley/client/node";
import { SERVER_URL } from "./server-host.ts";

export interface DeviceParts {
  readonly store: ClientStore;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly oneTimeStock: OneTimeStock | undefined;
  readonly window?: FlowWindow | undefined;
  readonly onFatal: (cause: unknown) => void;
}

/** A whole client as a program has it, with the real cryptography, over ports that its world owns. */
export async function openMessenger(parts: DeviceParts): Promise<MessengerApi> {
  const { oneTimeStock, window, ...ports } = parts;
  return await Messenger.open({
    ...{ ...ports, serverUrl: SERVER_URL, crypto: nodeCrypto },
    ...(oneTimeStock && { oneTimeStock }),
    ...(window && { window }),
  });
}
