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
}

export interface OwnAccount {
  readonly accountId: string;
  readonly handle: string;
  readonly deviceId: number;
  /** Ed25519 public key of the account's root. */
  readonly rootKey: Uint8Array;
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
