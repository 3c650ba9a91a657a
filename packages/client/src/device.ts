import type { AlarmKind } from "./api.ts";
import type { Connection } from "./connection/connection.ts";
import type { ConnectionHandler } from "./connection/connection-handler.ts";
import type { Directory } from "./directory/directory.ts";
import type { Identity } from "./identity/identity.ts";
import type { ClientStore } from "./ports/client-store.ts";
import type { Clock } from "./ports/clock.ts";
import type { CryptoRunner } from "./ports/crypto-runner.ts";
import type { Random } from "./ports/random.ts";
import type { OpenSocket } from "./ports/socket.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { StateNumber } from "./store/state-number.ts";
import type { Transaction, Transactor } from "./store/transactor.ts";

/** What a device stands on. */
export interface DevicePorts {
  /** Such as `http://127.0.0.1:7420`; its origin is what logins are bound to. */
  readonly serverUrl: string;
  readonly store: ClientStore;
  readonly openSocket: OpenSocket;
  readonly crypto: CryptoRunner;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a device tells of itself, beside what its connection hands up. */
export interface DeviceEvents extends ConnectionHandler {
  alarm(kind: AlarmKind, about: string): void;
  /** The store failed, or an invariant broke: nothing runs any more. Close, and open again. */
  fatal(cause: unknown): void;
}

/** The lower half of the client: everything below conversations. Opened by `openDevice`. */
export interface Device {
  readonly transactor: Transactor;
  readonly identity: Identity;
  readonly connection: Connection;
  readonly directory: Directory;
  readonly sessions: Sessions;
  readonly stateNumber: StateNumber;
  /**
   * The epoch that the next hello names. Call it in the transaction that has made durable what a welcome's
   * epochs demand (re-offers, receipts due again), with the last of them.
   */
  rememberEpoch(tx: Transaction, epochId: Uint8Array): void;
  close(): Promise<void>;
}
