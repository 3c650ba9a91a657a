import type { Connection } from "./connection/connection.ts";
import type { FlowWindow } from "./connection/login.ts";
import { ServerConnection } from "./connection/server-connection.ts";
import type { DeviceEvents } from "./device-events.ts";
import { AccountDirectory } from "./directory/account-directory.ts";
import type { Directory } from "./directory/directory.ts";
import { DeviceIdentity } from "./identity/device-identity.ts";
import type { Identity } from "./identity/identity.ts";
import { OwnDevice } from "./own-device.ts";
import type { ClientStore } from "./ports/client-store.ts";
import type { Clock } from "./ports/clock.ts";
import type { CryptoRunner } from "./ports/crypto-runner.ts";
import type { Random } from "./ports/random.ts";
import type { OpenSocket } from "./ports/socket.ts";
import { DeviceSessions } from "./sessions/device-sessions.ts";
import type { OneTimeStock } from "./sessions/prekey-plan.ts";
import { PrekeyStock } from "./sessions/prekey-stock.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { putLastEpoch } from "./store/last-epoch.ts";
import { StateNumber } from "./store/state-number.ts";
import { type Transaction, Transactor } from "./store/transactor.ts";

/** What a device stands on. */
export interface DevicePorts {
  /** Such as `http://127.0.0.1:7420`; its origin is what logins are bound to. */
  readonly serverUrl: string;
  readonly store: ClientStore;
  readonly openSocket: OpenSocket;
  readonly crypto: CryptoRunner;
  readonly clock: Clock;
  readonly random: Random;
  /** Other than usual: where a device's keys cost more than they are worth, as in a simulation. */
  readonly oneTimeStock?: OneTimeStock;
  /** Other than usual; what is smaller than the longest envelope never gets one. */
  readonly window?: FlowWindow;
}

/** The lower half of the client: everything below conversations. */
export interface Device {
  readonly transactor: Transactor;
  readonly identity: Identity;
  /** `start` after sign-up. */
  readonly connection: Connection;
  readonly directory: Directory;
  readonly sessions: Sessions;
  readonly stateNumber: StateNumber;
  /**
   * The epoch that the next hello names. Call it in the transaction that has made durable what a welcome's
   * epochs demand (re-offers, receipts due again), with the last of them.
   */
  rememberEpoch(tx: Transaction, epochId: Uint8Array): void;
  /** Ends the connection, lets what was queued commit, closes the store. */
  close(): Promise<void>;
}

export async function openDevice(ports: DevicePorts, events: DeviceEvents): Promise<Device> {
  const { clock, crypto, random, store } = ports;
  let failed = false;
  const fatal = (cause: unknown) => {
    if (failed) return;
    failed = true;
    prekeys.rest();
    void connection.close();
    events.fatal(cause);
  };
  const transactor = new Transactor(store, fatal);
  const stateNumber = await StateNumber.load(transactor);
  const request: Connection["request"] = (name, value) => connection.request(name, value);
  const common = { transactor, crypto, clock, random, connection: { request }, fatal };

  const directory = new AccountDirectory({
    ...common,
    ownAddress: () => identity.address,
    devicesLeft: () => events.devicesLeft(),
  });
  const identity: DeviceIdentity = await DeviceIdentity.load({
    ...ports,
    transactor,
    storeChain: (tx, accountId, entries) => directory.storeOwn(tx, accountId, entries),
    chainEntries: (tx, accountId) => directory.ownEntries(tx, accountId),
  });
  const prekeys = new PrekeyStock({
    ...{ ...common, stock: ports.oneTimeStock },
    keys: () => identity.local.keys,
  });
  const local = () => identity.local;
  const sessions = new DeviceSessions({ ...common, directory, prekeys, stateNumber, local });
  const own = new OwnDevice({
    ...{ ...common, events, directory, identity, prekeys, sessions, stateNumber },
  });
  const connection: Connection = new ServerConnection({
    ...{ ...ports, fatal, login: own, handler: own },
    stateNumber: () => stateNumber.committed,
  });
  return {
    ...{ transactor, identity, connection, directory, sessions, stateNumber },
    rememberEpoch: putLastEpoch,
    close: async () => {
      prekeys.rest();
      await connection.close();
      await own.settled();
      await transactor.settled();
      await store.close();
    },
  };
}
