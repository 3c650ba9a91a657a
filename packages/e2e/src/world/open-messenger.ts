import {
  type ClientStore,
  type Clock,
  Messenger,
  type MessengerApi,
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
  readonly onFatal: (cause: unknown) => void;
}

/** A whole client as a program has it, with the real cryptography, over ports that its world owns. */
export async function openMessenger(parts: DeviceParts): Promise<MessengerApi> {
  return await Messenger.open({ ...parts, serverUrl: SERVER_URL, crypto: nodeCrypto });
}
