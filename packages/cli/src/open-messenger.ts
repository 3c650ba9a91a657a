import { Messenger, type MessengerApi } from "@parley/client";
import {
  nodeCrypto,
  nodeSocket,
  openNodeStore,
  systemClock,
  systemRandom,
} from "@parley/client/node";
import type { DeviceOptions } from "./device-command.ts";
import { EXIT_USAGE, ExitError } from "./exit-status.ts";
import { type Home, homeOf } from "./home.ts";
import { nextCommand } from "./next-command.ts";
import { storeKey } from "./store-key.ts";

export interface OpenDevice {
  readonly messenger: MessengerApi;
  readonly home: Home;
}

/** Opens this device's data for as long as `run` takes, in this process alone. */
export async function withDevice<T>(
  options: DeviceOptions,
  run: (device: OpenDevice) => Promise<T>,
): Promise<T> {
  const home = homeOf(options);
  const serverUrl = home.serverUrl();
  if (serverUrl === undefined) throw notSignedUp(home, options);
  return withStore(options, { home, serverUrl, isNew: false }, async (device) => {
    if (!device.messenger.account) throw notSignedUp(home, options);
    return run(device);
  });
}

/** For the sign-up, where there may be nothing yet. */
export async function withNewDevice<T>(
  options: DeviceOptions,
  serverUrl: string,
  run: (device: OpenDevice) => Promise<T>,
): Promise<T> {
  const home = homeOf(options);
  return withStore(options, { home, serverUrl, isNew: home.serverUrl() === undefined }, run);
}

interface Place {
  readonly home: Home;
  readonly serverUrl: string;
  readonly isNew: boolean;
}

async function withStore<T>(
  options: DeviceOptions,
  { home, serverUrl, isNew }: Place,
  run: (device: OpenDevice) => Promise<T>,
): Promise<T> {
  const store = await openNodeStore({
    folder: home.folder,
    ...(await storeKey(options, isNew)),
  });
  const messenger = await Messenger.open({
    serverUrl,
    store,
    openSocket: nodeSocket,
    crypto: nodeCrypto,
    clock: systemClock,
    random: systemRandom,
  });
  try {
    return await run({ messenger, home });
  } finally {
    await messenger.close();
  }
}

function notSignedUp(home: Home, options: DeviceOptions): Error {
  return new ExitError(
    EXIT_USAGE,
    `nobody has signed up in ${home.folder}: ${nextCommand("signup --server URL --handle NAME", options)}`,
  );
}
