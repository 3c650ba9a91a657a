import type { AccountState, Operation, SignedStep } from "@parley/crypto";
import type { AccountHead, DeviceListMismatch, SignedAccountEntry } from "@parley/protocol";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";

/** A device as its account's chain lists it. */
export interface ListedDevice {
  readonly address: DeviceAddress;
  /** Ed25519 form. */
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  /** Its name, for own devices alone. */
  readonly sealedName: Uint8Array;
}

/** An account as this device knows it: the newest verified state of its chain. */
export interface KnownAccount {
  readonly accountId: string;
  /** Ed25519 public key. */
  readonly rootKey: Uint8Array;
  readonly head: AccountHead;
  readonly devices: readonly ListedDevice[];
}

export type HandleLookUp =
  | { readonly kind: "found"; readonly accountId: string }
  | { readonly kind: "unknown" }
  /** An alarm: the handle was pinned to `pinned`, and the server now says `now`. The pin stays. */
  | { readonly kind: "moved"; readonly pinned: string; readonly now: string };

export type ChainOutcome =
  /** A newer list was verified and stored. */
  | { readonly kind: "newer"; readonly account: KnownAccount }
  /** What is held is the newest that the server has, or newer. */
  | { readonly kind: "unchanged"; readonly account: KnownAccount }
  /** The server has no such account. */
  | { readonly kind: "unknown" }
  /** An alarm: the server's chain does not verify, or contradicts what is held. What is held stays. */
  | { readonly kind: "false-list" };

/** How a head that somebody quoted stands to the list that is held here. */
export type HeadStanding =
  /** It is the newest entry held. */
  | "current"
  /** An older entry of the same chain. */
  | "older"
  /** Newer than what is held, or nothing is held: `refresh`, then ask again. */
  | "newer"
  /** Another hash at a place that is held: somebody was shown a false list. */
  | "contradicts";

/** What must not change about another account without the person learning of it. */
export interface HandedPin {
  readonly handle: string;
  readonly rootKey: Uint8Array;
  readonly era: number;
  readonly version: number;
  /** At least the first 16 bytes. */
  readonly headHash: Uint8Array;
}

/** Who is who: handles, and the verified device lists of accounts (own account included). */
export interface Directory {
  /** Network. Asks the server; pins the answer the first time. */
  lookUpHandle(handle: string): Promise<HandleLookUp>;
  /** The account that the handle is pinned to. */
  pinnedAccount(tx: Transaction, handle: string): Promise<string | undefined>;
  /** The handle under which the account was first found. */
  handleOf(tx: Transaction, accountId: string): Promise<string | undefined>;

  /** The verified list that is held; undefined where none is: `refresh`. */
  account(tx: Transaction, accountId: string): Promise<KnownAccount | undefined>;
  /** Listed, or not listed any more since a moment ago (left-devices.ts). */
  device(tx: Transaction, address: DeviceAddress): Promise<ListedDevice | undefined>;
  /** Those that are known though no list has them any more. */
  devicesLeft(tx: Transaction): Promise<readonly DeviceAddress[]>;
  /** Nothing more of it is read. */
  forgetLeft(tx: Transaction, address: DeviceAddress): void;
  /** The devices of the account but for this one: what a message to the account must reach. */
  addresses(tx: Transaction, accountId: string): Promise<readonly DeviceAddress[]>;
  standingOf(tx: Transaction, accountId: string, quoted: AccountHead): Promise<HeadStanding>;

  /** Network. Fetches what is newer than what is held, verifies and stores it. Never goes back. */
  refresh(accountId: string): Promise<ChainOutcome>;
  /**
   * Network. Signs a change of the own list on top of the newest there is, and has the server take it: anew where
   * another device was faster. Rejects with CryptoError `misuse` where no verifier would take it.
   */
  changeOwn(sign: (state: AccountState) => Operation<SignedStep>): Promise<KnownAccount>;
  /** The entries of the own chain, from the newest one of the root on. */
  ownEntries(tx: Transaction, accountId: string): Promise<readonly SignedAccountEntry[]>;
  /** As another own device knows the account. */
  pin(tx: Transaction, accountId: string, pinned: HandedPin): Promise<void>;
  pinned(tx: Transaction, accountId: string): Promise<HandedPin>;

  /**
   * Network. After a send was refused: takes over the newer chains, and hands over the entries that the
   * server lacks. Anything but "newer" and "unchanged" in the outcomes: do not send.
   */
  settleMismatch(
    mismatch: DeviceListMismatch,
    recipient: string,
  ): Promise<{ readonly recipient: ChainOutcome; readonly own: ChainOutcome }>;
}
