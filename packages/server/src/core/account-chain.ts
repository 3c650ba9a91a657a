import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type AccountChange,
  type AccountEntry,
  AccountEntrySchema,
  concatBytes,
  DEVICES_PER_ACCOUNT_MAX,
  type DeviceEntry,
  ErrorCode,
  equalBytes,
  ID_BYTES,
  ProtocolError,
  type SignedAccountEntry,
  validate,
} from "@parley/protocol";
import type { ChainHead, ListedDevice, StoredEntry } from "../ports/account-store.ts";
import { verifyLabelled } from "./keys.ts";
import { LABELS, labelled } from "./labels.ts";

/** What a chain says once an entry stands. */
export interface ChainState {
  readonly accountId: Uint8Array;
  readonly rootKey: Uint8Array;
  readonly head: ChainHead;
  readonly devices: readonly ListedDevice[];
}

export interface CheckedEntry {
  readonly entry: StoredEntry;
  readonly state: ChainState;
  /** Undefined: the root. */
  readonly signerDeviceId: number | undefined;
}

export interface ChainBefore {
  readonly state: ChainState | undefined;
  /** Where each earlier entry that is known stands, for what a root's entry accepts. */
  readonly places: readonly ChainHead[];
}

/** The entry follows another one than the newest that is here. */
export class SupersededEntryError extends ProtocolError {
  constructor(problem: string) {
    super(ErrorCode.INVALID_ACCOUNT_ENTRY, problem);
  }
}

/**
 * Checks one entry of an account chain as far as the server does (trust.md 2): place, previous hash,
 * signature, consents, and the hash of the state after. Whether a client believes it is the clients' own
 * affair. Throws INVALID_ACCOUNT_ENTRY, as SupersededEntryError where only the place does not fit.
 */
export function checkEntry(
  before: ChainBefore,
  signed: SignedAccountEntry,
  nowMs: number,
): CheckedEntry {
  const entry = parse(signed.body);
  const hash = hashOfEntry(signed.body);
  const byRoot = entry.signer.case === "root";
  const rootKey = byRoot ? checkRoot(before, entry) : checkDevice(before.state, entry);
  const signer = byRoot ? rootKey : signingDevice(before.state, entry).identityKey;
  if (!verifyLabelled(signer, LABELS.accountEntry, signed)) refuse("the signature does not fit");
  const devices = devicesAfter(before.state, entry, nowMs);
  const state: ChainState = {
    accountId: Uint8Array.from(entry.accountId),
    rootKey: Uint8Array.from(rootKey),
    head: { era: entry.era, version: entry.version, hash },
    devices,
  };
  if (!equalBytes(stateHash(state), entry.stateHash)) refuse("the hash of the state does not fit");
  return {
    entry: {
      era: entry.era,
      version: entry.version,
      signedByRoot: byRoot,
      body: Uint8Array.from(signed.body),
      signature: Uint8Array.from(signed.signature),
    },
    state,
    signerDeviceId: entry.signer.case === "device" ? entry.signer.value.deviceId : undefined,
  };
}

/** A whole chain from its first entry on. */
export function checkChain(entries: readonly SignedAccountEntry[], nowMs: number): CheckedEntry[] {
  const checked: CheckedEntry[] = [];
  for (const signed of entries) {
    const places = checked.map(({ state }) => state.head);
    checked.push(checkEntry({ state: checked.at(-1)?.state, places }, signed, nowMs));
  }
  return checked;
}

export function accountIdOf(rootKey: Uint8Array): Uint8Array {
  const hash = createHash("sha256").update(labelled(LABELS.accountId, rootKey)).digest();
  return Uint8Array.from(hash.subarray(0, ID_BYTES));
}

/** Whose chain the entry says that it belongs to. Throws INVALID_ACCOUNT_ENTRY. */
export function accountOfEntry(body: Uint8Array): Uint8Array {
  return parse(body).accountId;
}

function parse(body: Uint8Array): AccountEntry {
  try {
    const entry = fromBinary(AccountEntrySchema, body);
    validate(AccountEntrySchema, entry, "client");
    return entry;
  } catch (cause) {
    throw new ProtocolError(ErrorCode.INVALID_ACCOUNT_ENTRY, "not an account entry", { cause });
  }
}

/** The root begins an era: the first, or the next, naming the last entry that it accepts. */
function checkRoot({ state, places }: ChainBefore, entry: AccountEntry): Uint8Array {
  const { rootKey } = entry.signer.value as { rootKey: Uint8Array };
  if (!equalBytes(accountIdOf(rootKey), entry.accountId)) refuse("the id is not this root key's");
  if (entry.version !== 1) refuse("the root signs first entries of an era only");
  if (entry.withdraws !== undefined) refuse("the root withdraws nothing");
  if (state === undefined) {
    const isFirst = entry.era === 1 && entry.accepts === undefined;
    if (!isFirst || entry.previousHash.length > 0) refuse("not the first entry of a chain");
    return rootKey;
  }
  if (!equalBytes(state.accountId, entry.accountId)) refuse("an entry of another account");
  if (entry.era !== state.head.era + 1) superseded("not the next era");
  const { accepts } = entry;
  const accepted = places.find(
    ({ era, version }) =>
      era === state.head.era && era === accepts?.era && version === accepts.version,
  );
  if (accepts === undefined || accepted === undefined || !equalBytes(accepted.hash, accepts.hash))
    superseded("accepts an entry that is not there");
  if (!equalBytes(entry.previousHash, accepts.hash)) refuse("the previous hash does not fit");
  return rootKey;
}

function checkDevice(state: ChainState | undefined, entry: AccountEntry): Uint8Array {
  if (state === undefined) refuse("the root signs the first entry");
  if (!equalBytes(state.accountId, entry.accountId)) refuse("an entry of another account");
  if (entry.accepts !== undefined) refuse("only the root accepts");
  const { withdraws } = entry;
  if (withdraws && withdraws.era !== entry.era) refuse("withdraws what is of another era");
  if (entry.era !== state.head.era || entry.version !== state.head.version + 1)
    superseded("not the next place");
  if (!equalBytes(state.head.hash, entry.previousHash)) superseded("follows another entry");
  return state.rootKey;
}

function signingDevice(state: ChainState | undefined, { signer }: AccountEntry): ListedDevice {
  const deviceId = signer.case === "device" ? signer.value.deviceId : 0;
  const device = state?.devices.find((each) => each.deviceId === deviceId);
  if (device === undefined) refuse("the signing device is not listed");
  return device;
}

/** An entry of the root stands for itself, so that whoever begins to read there needs nothing before it. */
function devicesAfter(
  before: ChainState | undefined,
  entry: AccountEntry,
  nowMs: number,
): readonly ListedDevice[] {
  const earlier = before?.devices ?? [];
  const byRoot = entry.signer.case === "root";
  const devices = new Map<number, ListedDevice>();
  if (!byRoot) for (const device of earlier) devices.set(device.deviceId, device);
  const add = (added: DeviceEntry) => {
    if (devices.has(added.deviceId)) refuse("a device id that is taken");
    for (const { identityKey } of devices.values())
      if (equalBytes(identityKey, added.identityKey)) refuse("a device key that is taken");
    checkConsent(entry.accountId, added);
    devices.set(added.deviceId, listed(added, earlier, nowMs));
  };
  for (const change of entry.changes) apply(change, { byRoot, devices, add });
  if (devices.size === 0) refuse("an account without a device");
  if (devices.size > DEVICES_PER_ACCOUNT_MAX) refuse("too many devices");
  return [...devices.values()].sort((a, b) => a.deviceId - b.deviceId);
}

interface Changing {
  readonly byRoot: boolean;
  readonly devices: Map<number, ListedDevice>;
  readonly add: (added: DeviceEntry) => void;
}

function apply({ change }: AccountChange, { byRoot, devices, add }: Changing): void {
  switch (change.case) {
    case "addDevice":
      add(change.value);
      return;
    case "removeDevice":
      if (!devices.delete(change.value.deviceId)) refuse("removes a device that is not listed");
      return;
    case "setDevices":
      if (!byRoot) refuse("only the root sets all devices");
      devices.clear();
      for (const device of change.value.devices) add(device);
      return;
    case "rotateRoot":
    case undefined:
      refuse("a change that is not known here");
  }
}

function checkConsent(accountId: Uint8Array, device: DeviceEntry): void {
  const { deviceId, registrationId, identityKey, consent: signature } = device;
  const body = concatBytes(accountId, Uint8Array.of(deviceId), uint32(registrationId), identityKey);
  if (!verifyLabelled(identityKey, LABELS.deviceConsent, { body, signature }))
    refuse("a device without its consent");
}

function listed(
  { deviceId, identityKey, registrationId, consent, sealedName }: DeviceEntry,
  earlier: readonly ListedDevice[],
  nowMs: number,
): ListedDevice {
  const same = earlier.find(
    (device) => device.deviceId === deviceId && equalBytes(device.identityKey, identityKey),
  );
  return {
    deviceId,
    identityKey: Uint8Array.from(identityKey),
    registrationId,
    consent: Uint8Array.from(consent),
    sealedName: Uint8Array.from(sealedName),
    addedAtMs: same?.addedAtMs ?? nowMs,
  };
}

function stateHash({ accountId, rootKey, devices }: ChainState): Uint8Array {
  const parts = devices.map(({ deviceId, identityKey, registrationId, consent, sealedName }) =>
    concatBytes(
      Uint8Array.of(deviceId),
      identityKey,
      uint32(registrationId),
      consent,
      Uint8Array.of(sealedName.length >> 8, sealedName.length & 0xff),
      sealedName,
    ),
  );
  const body = concatBytes(accountId, rootKey, ...parts);
  return createHash("sha256").update(labelled(LABELS.accountState, body)).digest();
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function hashOfEntry(body: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(body).digest());
}

function superseded(problem: string): never {
  throw new SupersededEntryError(problem);
}

function refuse(problem: string): never {
  throw new ProtocolError(ErrorCode.INVALID_ACCOUNT_ENTRY, problem);
}
