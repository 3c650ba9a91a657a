import type { DeviceAddress } from "./device-address.ts";

/** Public keys as they stand on the wire; checked before they come here. */
export interface StoredSignedPrekey {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

export interface StoredOneTimePrekey {
  readonly id: number;
  readonly curvePublicKey: Uint8Array;
  readonly kyberPublicKey: Uint8Array;
  readonly kyberSignature: Uint8Array;
}

export interface PrekeyUpload {
  /** Replaces the one before. */
  readonly signed: StoredSignedPrekey | undefined;
  /** Replaces the one before. */
  readonly lastResort: StoredSignedPrekey | undefined;
  readonly oneTime: readonly StoredOneTimePrekey[];
  /** One-time prekeys below this id are dropped first. */
  readonly dropOneTimeBelow: number;
}

/** An id of 0 says none. */
export interface HeldPrekeys {
  readonly signedPrekeyId: number;
  readonly lastResortPrekeyId: number;
  readonly lowestOneTimeId: number;
  readonly highestOneTimeId: number;
  readonly oneTimeCount: number;
}

export interface ClaimedPrekeys {
  readonly device: DeviceAddress;
  readonly signed: StoredSignedPrekey;
  readonly oneTime: StoredOneTimePrekey | undefined;
  /** Where no one-time prekey was left. */
  readonly lastResort: StoredSignedPrekey | undefined;
}

/** What each device leaves here so that others can begin a session while it is away. */
export interface PrekeyStore {
  /**
   * Durable when it resolves, and safe to repeat: a one-time prekey that is there, or that was given to
   * somebody already, changes nothing. Another key under an id that is there is refused as INVALID_KEY, and
   * more than the store holds for a device as INVALID_REQUEST; then nothing of the upload is kept.
   */
  upload(device: DeviceAddress, upload: PrekeyUpload): Promise<HeldPrekeys>;

  held(device: DeviceAddress): Promise<HeldPrekeys>;

  /**
   * For each device with a signed prekey: that one, and the one-time prekey of the lowest id, which goes to
   * this claimant and to nobody else, ever, whatever is killed; else the last-resort prekey. While the
   * store cannot write, or where that is asked for, last-resort prekeys only.
   */
  claim(
    devices: readonly DeviceAddress[],
    kind: "one-time" | "last-resort",
  ): Promise<readonly ClaimedPrekeys[]>;
}
