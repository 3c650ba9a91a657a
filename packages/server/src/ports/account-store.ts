/** A device as its account's chain lists it. */
export interface ListedDevice {
  readonly deviceId: number;
  /** Ed25519 form. */
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  readonly consent: Uint8Array;
  readonly sealedName: Uint8Array;
  /** When this server first saw it listed. */
  readonly addedAtMs: number;
}

/** The newest entry of a chain. Order of entries = (era, version). */
export interface ChainHead {
  readonly era: number;
  readonly version: number;
  /** All 32 bytes. */
  readonly hash: Uint8Array;
}

export interface Account {
  readonly accountId: string;
  readonly rootKey: Uint8Array;
  /** Undefined: it was given away while the server did not know the account. */
  readonly handle: string | undefined;
  readonly head: ChainHead;
  /** By rising id. */
  readonly devices: readonly ListedDevice[];
}

/** An entry of an account chain, as it came. */
export interface StoredEntry {
  readonly era: number;
  readonly version: number;
  readonly signedByRoot: boolean;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export interface ChainStep {
  readonly accountId: string;
  /** The head that this entry was made for. */
  readonly after: Uint8Array;
  readonly entry: StoredEntry;
  readonly head: ChainHead;
  readonly devices: readonly ListedDevice[];
}

/**
 * Accounts, their chains, handles and sealed profiles. Whatever is to be changed is durable when the promise
 * resolves. What cannot be written now is refused as STORAGE_UNAVAILABLE, and reads go on.
 */
export interface AccountStore {
  /**
   * All of it or nothing. A handle names at most one account, and an account id is never used again. Where the
   * hash of an invitation is given, one use of it is spent in the same change, and only where all else holds.
   */
  create(
    account: Account,
    entries: readonly StoredEntry[],
    invitation?: Uint8Array,
  ): Promise<"created" | "exists" | "handle-taken" | "invitation-refused">;

  find(accountId: string): Promise<Account | undefined>;
  /** Exact match only. */
  idOfHandle(handle: string): Promise<string | undefined>;
  count(): Promise<number>;

  /** From that place on; without one, from the newest entry that the root signed. At most 256, in order. */
  entries(
    accountId: string,
    from?: { readonly era: number; readonly version: number },
  ): Promise<readonly StoredEntry[]>;

  /**
   * Compare-and-swap on the head's hash. What a device that is no longer listed had here (prekeys, mailbox)
   * goes in the same change; a device that is listed anew begins with an empty mailbox.
   */
  append(step: ChainStep): Promise<"appended" | "superseded">;

  setProfile(accountId: string, sealed: Uint8Array): Promise<void>;
  /** Empty where none was set. */
  profile(accountId: string): Promise<Uint8Array>;
}
