import type { DeviceKeys } from "@parley/crypto";
import type { SignedAccountEntry } from "@parley/protocol";
import type { DeviceIdentity } from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction } from "../store/transactor.ts";

/** This device's account. Everything here is read once from the vault and kept. */
export interface Identity {
  /** Undefined before sign-up has been answered. */
  readonly account: OwnAccount | undefined;

  /**
   * Network. Makes keys, stores them, and only then asks the server. Cut off, it is taken up again with the
   * same keys (the handle may be another one then). Rejects with ProtocolError where the server refuses
   * (HANDLE_NOT_AVAILABLE, SIGN_UP_REFUSED), ConnectionLostError where it cannot be reached, and
   * AlreadySignedUpError.
   */
  signUp(options: SignUpOptions): Promise<{ account: OwnAccount; recoveryCode: string }>;

  /** The recovery code until the person confirmed having saved it. */
  pendingRecoveryCode(): Promise<string | undefined>;
  confirmRecoveryCode(): Promise<void>;

  /** Of a device that was linked, or that came by the recovery code: its keys, and the chain that lists it. Rejects AlreadySignedUpError. */
  adopt(identity: LinkedIdentity, entries: readonly SignedAccountEntry[]): Promise<void>;
  sharedSecrets(): SharedSecrets;
  /** What another own device handed over, inside a transaction; with it this device may write. */
  takeSecrets(tx: Transaction, secrets: SharedSecrets): void;
  readonly keys: DeviceKeys;
  readonly createdAtMs: number;
}

export type LinkedIdentity = Pick<
  DeviceIdentity,
  | "seed"
  | "registrationId"
  | "accountId"
  | "deviceId"
  | "rootKey"
  | "handle"
  | "deviceName"
  | "signUpReceipt"
> &
  /** Who has the recovery code has these; a linked device is given them later, with all else. */
  Partial<Pick<DeviceIdentity, "backupKey" | "backupId">>;

export interface OwnAccount {
  readonly accountId: string;
  readonly handle: string;
  readonly deviceId: number;
  /** Ed25519 public key of the account's root. */
  readonly rootKey: Uint8Array;
  /** Linked, and not given yet what a device needs before it writes (trust.md 3). */
  readonly awaitsHandOver: boolean;
}

/** What one's own devices tell each other. */
export interface SharedSecrets {
  readonly backupKey: Uint8Array;
  readonly backupId: Uint8Array;
  readonly signUpReceipt: Uint8Array;
}

export interface SignUpOptions {
  readonly handle: string;
  readonly invitation?: string;
  /** Shown to own devices only; sealed before it leaves this one. */
  readonly deviceName?: string;
}

export class AlreadySignedUpError extends Error {
  override readonly name = "AlreadySignedUpError";
}
