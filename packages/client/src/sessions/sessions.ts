import type { Kept } from "@parley/crypto";
import type { PrekeyBundle } from "@parley/protocol";
import type { Transaction } from "../store/transaction.ts";
import type { DeviceAddress } from "./device-address.ts";

export type Decrypted =
  /** The padding is off: encoded Content. The ratchet has stepped in this transaction. */
  | { readonly kind: "content"; readonly content: Kept<Uint8Array> }
  /** Its message key is used up: acknowledge, ask for nothing, make the sender's receipts due again. */
  | { readonly kind: "repeat" }
  | { readonly kind: "undecryptable"; readonly cause: UndecryptableCause };

export type UndecryptableCause =
  /** The device is not in the list held of its account: park, `directory.refresh`, try again. */
  | "unknown-device"
  /** An ordinary message, and no session that it belongs to. */
  | "no-session"
  /** A prekey message to a prekey that is not here (used, expired, or lost). */
  | "unknown-prekey"
  /** The identity in the message is not the one that the account's chain lists. */
  | "wrong-identity"
  /** A first byte that this client does not know, such as one from a newer version. */
  | "unknown-kind"
  /** Everything else: malformed, forged, or too far ahead. */
  | "invalid";

export interface EncryptOptions {
  /** A live or profile key rides in the wrapper: padded so that sizes tell nothing (trust.md 9). */
  readonly carriesKeys?: boolean;
}

/** Pairwise sessions with devices: one a device, kept in the store, stepped inside transactions. */
export interface Sessions {
  /** A session that can encrypt is there. */
  has(tx: Transaction, to: DeviceAddress): Promise<boolean>;
  /**
   * Pads, encrypts, steps the ratchet, raises the state number. Gives the envelope's ciphertext, its kind byte
   * first: for rows of this transaction at once, for the wire once it is durable. Throws NoSessionError where
   * `has` is false.
   */
  encrypt(
    tx: Transaction,
    to: DeviceAddress,
    content: Uint8Array,
    options?: EncryptOptions,
  ): Promise<Kept<Uint8Array>>;
  /**
   * Never throws for what the message is. What fails changes nothing. Steps raise the state number; so does
   * the acknowledgement of a batch, by the caller: see StateNumber.
   */
  decrypt(tx: Transaction, from: DeviceAddress, ciphertext: Uint8Array): Promise<Decrypted>;

  /**
   * Network, outside of transactions. Fetches bundles for those of the devices that have no session and
   * begins one with each. Returns the devices that have none afterwards: not in the list held, no prekeys
   * on the server yet, or a bundle that does not verify. Rejects as `Connection.request` does.
   */
  fetchMissing(to: readonly DeviceAddress[]): Promise<readonly DeviceAddress[]>;
  /**
   * Begins a new session; one that was there is archived. The bundle must verify under the identity that
   * the account's chain lists, else InvalidBundleError.
   */
  begin(tx: Transaction, to: DeviceAddress, bundle: PrekeyBundle): Promise<void>;
  /**
   * Network. A new session in place of one that does not work. False: no bundle could be had. How often is
   * the caller's to limit (trust.md 6: one an hour, 5 a day a pair).
   */
  renew(to: DeviceAddress): Promise<boolean>;
  /** The device was removed from its account. */
  forget(tx: Transaction, device: DeviceAddress): Promise<void>;
}

/** Fetch a bundle and begin a session first. */
export class NoSessionError extends Error {
  override readonly name = "NoSessionError";
}

/** The server gave keys that the device's identity did not sign. */
export class InvalidBundleError extends Error {
  override readonly name = "InvalidBundleError";
}
