import { create } from "@bufbuild/protobuf";
import {
  type AccountEntryPlace,
  AccountEntryPlaceSchema,
  type AccountHead,
  AccountHeadSchema,
  concatBytes,
  type DeviceEntry,
  ID_BYTES,
} from "@parley/protocol";
import { LABELS, labelled } from "../labels.ts";
import { sha256 } from "../primitives/hash.ts";
import { lengthPrefixed, uint32Bytes } from "../primitives/text.ts";

/** What an account's chain says once its head stands. */
export interface AccountState {
  readonly accountId: Uint8Array;
  /** Ed25519 public key. */
  readonly rootKey: Uint8Array;
  readonly era: number;
  readonly version: number;
  /** SHA-256 of the newest entry's body, 32 bytes. */
  readonly headHash: Uint8Array;
  /** By rising id. */
  readonly devices: readonly DeviceEntry[];
}

/** Who an account is before its first entry, or whatever it had before an entry of the root. */
export type AccountIdentity = Pick<AccountState, "accountId" | "rootKey">;

/** How messages and requests name the newest entry. */
export function accountHead({ era, version, headHash }: AccountState): AccountHead {
  return create(AccountHeadSchema, { era, version, hash: headHash.slice(0, ID_BYTES) });
}

/** How chains name an entry. */
export function accountPlace({ era, version, headHash }: AccountState): AccountEntryPlace {
  return create(AccountEntryPlaceSchema, { era, version, hash: headHash });
}

export function entryHash(body: Uint8Array): Uint8Array {
  return sha256(body);
}

/** The layout stands in the schema, at `AccountEntry.state_hash`. */
export function accountStateHash(
  { accountId, rootKey }: AccountIdentity,
  devices: readonly DeviceEntry[],
): Uint8Array {
  const parts = devices.map((device) =>
    concatBytes(
      Uint8Array.of(device.deviceId),
      device.identityKey,
      uint32Bytes(device.registrationId),
      device.consent,
      lengthPrefixed(device.sealedName),
    ),
  );
  return sha256(labelled(LABELS.accountState, accountId, rootKey, ...parts));
}

/** Order = (era, version). */
export function comparePlaces(
  a: { readonly era: number; readonly version: number },
  b: { readonly era: number; readonly version: number },
): number {
  return a.era - b.era || a.version - b.version;
}
