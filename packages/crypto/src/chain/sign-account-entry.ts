import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AccountChange,
  AccountChangeSchema,
  type AccountEntry,
  type AccountEntryPlace,
  AccountEntrySchema,
  type DeviceEntry,
  DeviceEntrySchema,
  RemoveDeviceSchema,
  SetDevicesSchema,
  type SignedAccountEntry,
  SignedAccountEntrySchema,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { accountIdOf, signConsent } from "../identity/account.ts";
import type { DeviceKeys } from "../identity/device-keys.ts";
import { LABELS, labelled } from "../labels.ts";
import { ed25519PublicKey, ed25519Sign, type Operation } from "../operation.ts";
import { applyChanges } from "./account-changes.ts";
import {
  type AccountIdentity,
  type AccountState,
  accountPlace,
  accountStateHash,
  entryHash,
} from "./account-state.ts";

export interface SignedStep {
  readonly entry: SignedAccountEntry;
  readonly state: AccountState;
}

export interface ListedAs {
  readonly accountId: Uint8Array;
  readonly deviceId: number;
  readonly registrationId: number;
  /** From `sealDeviceName`; empty: none. */
  readonly sealedName: Uint8Array;
}

/** A device as its account lists it, with its consent. */
export function* makeDeviceEntry(keys: DeviceKeys, as: ListedAs): Operation<DeviceEntry> {
  const consent = yield* signConsent(keys, as);
  const { deviceId, registrationId, sealedName } = as;
  const identityKey = keys.ed25519Public;
  return create(DeviceEntrySchema, { deviceId, identityKey, registrationId, consent, sealedName });
}

/** The first entry of an account: by the root, one device, era 1. Wipe the root seed afterwards. */
export function* signFirstEntry(rootSeed: Uint8Array, device: DeviceEntry): Operation<SignedStep> {
  const rootKey = yield* ed25519PublicKey(rootSeed);
  const account = { accountId: accountIdOf(rootKey), rootKey };
  const place = { era: 1, version: 1, previousHash: new Uint8Array(0) };
  return yield* signRootEntry({ rootSeed, account, place }, [device]);
}

/** Begins the next era on top of a state, which it accepts; what devices signed behind that is void. */
export function* signNextEra(
  rootSeed: Uint8Array,
  accepted: AccountState,
  devices: readonly DeviceEntry[],
): Operation<SignedStep> {
  const place = {
    era: accepted.era + 1,
    version: 1,
    previousHash: accepted.headHash,
    accepts: accountPlace(accepted),
  };
  return yield* signRootEntry({ rootSeed, account: accepted, place }, devices);
}

/**
 * An entry by a listed device, on top of a state. `withdraws` is an entry of its own that lost a fork: what it meant
 * to change stands in `changes` again, where it still means to.
 */
export function* signDeviceEntry(
  signer: { readonly deviceId: number; readonly keys: DeviceKeys },
  state: AccountState,
  changes: readonly AccountChange[],
  withdraws?: AccountEntryPlace,
): Operation<SignedStep> {
  return yield* finish(signer.keys.seed, state, {
    place: {
      era: state.era,
      version: state.version + 1,
      previousHash: state.headHash,
      ...(withdraws && { withdraws }),
    },
    signer: { case: "device", value: { $typeName: DEVICE_SIGNER, deviceId: signer.deviceId } },
    changes: changes.length === 0 && withdraws !== undefined ? listedAnew(signer, state) : changes,
    devicesBefore: state.devices,
  });
}

/** The schema demands a change, also of an entry that does nothing but withdraw: this one leaves all as it was. */
function listedAnew({ deviceId }: { readonly deviceId: number }, { devices }: AccountState) {
  const own = devices.filter((device) => device.deviceId === deviceId);
  return own.flatMap((device) => [
    create(AccountChangeSchema, {
      change: { case: "removeDevice", value: create(RemoveDeviceSchema, { deviceId }) },
    }),
    create(AccountChangeSchema, { change: { case: "addDevice", value: device } }),
  ]);
}

const DEVICE_SIGNER = "parley.wire.v1.DeviceSigner";
const ROOT_SIGNER = "parley.wire.v1.RootSigner";

type Place = Pick<AccountEntry, "era" | "version" | "previousHash"> & {
  readonly accepts?: AccountEntryPlace;
  readonly withdraws?: AccountEntryPlace;
};

interface RootSigning {
  readonly rootSeed: Uint8Array;
  readonly account: AccountIdentity;
  readonly place: Place;
}

function* signRootEntry(
  { rootSeed, account, place }: RootSigning,
  devices: readonly DeviceEntry[],
): Operation<SignedStep> {
  const setDevices = create(SetDevicesSchema, { devices: [...devices] });
  return yield* finish(rootSeed, account, {
    place,
    signer: { case: "root", value: { $typeName: ROOT_SIGNER, rootKey: account.rootKey } },
    changes: [create(AccountChangeSchema, { change: { case: "setDevices", value: setDevices } })],
    devicesBefore: [],
  });
}

interface Draft {
  readonly place: Place;
  readonly signer: AccountEntry["signer"];
  readonly changes: readonly AccountChange[];
  readonly devicesBefore: readonly DeviceEntry[];
}

function* finish(seed: Uint8Array, account: AccountIdentity, draft: Draft): Operation<SignedStep> {
  if (draft.changes.length === 0)
    throw new CryptoError("misuse", "no verifier would take this entry: it changes nothing");
  const { accountId, rootKey } = account;
  const base = { accountId, byRoot: draft.signer.case === "root", devices: draft.devicesBefore };
  const after = yield* applyChanges(base, draft.changes);
  if (after.kind === "refused")
    throw new CryptoError("misuse", `no verifier would take this entry: ${after.reason}`);
  const { devices } = after;
  const body = toBinary(
    AccountEntrySchema,
    create(AccountEntrySchema, {
      accountId,
      ...draft.place,
      signer: draft.signer,
      changes: [...draft.changes],
      stateHash: accountStateHash(account, devices),
    }),
  );
  const signature = yield* ed25519Sign(seed, labelled(LABELS.accountEntry, body));
  const { era, version } = draft.place;
  return {
    entry: create(SignedAccountEntrySchema, { body, signature }),
    state: { accountId, rootKey, era, version, headHash: entryHash(body), devices },
  };
}
