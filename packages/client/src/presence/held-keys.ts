import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { presenceToken } from "@parley/crypto";
import { type Content, equalBytes, type Receipt } from "@parley/protocol";
import { under } from "../conversation/keys.ts";
import {
  type HeldKeys,
  HeldKeysSchema,
  type HeldLiveKeys,
  HeldLiveKeysSchema,
} from "../gen/parley/store/v1/presence_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";
import { isSameKey, sharedKey } from "./shared-key.ts";

const TABLE = "shared-keys";
const accountKey = (accountId: string) => `held/${accountId}`;
const deviceKey = ({ accountId, deviceId }: DeviceAddress) => `held/${accountId}/${deviceId}`;

/** Of one device: the one before may be in use until the newest is known to have come. */
const LIVE_KEYS_MAX = 2;

type Wrapped = Pick<Content, "liveKey" | "profileKey" | "contactKey">;

/** Keys that came in a wrapper. True where another token opens this account's presence now. */
export async function holdKeys(
  tx: Transaction,
  from: DeviceAddress,
  { liveKey, profileKey, contactKey }: Wrapped,
): Promise<boolean> {
  if (liveKey !== undefined) await holdLiveKey(tx, from, liveKey);
  if (profileKey === undefined && contactKey === undefined) return false;
  const held = await ofAccount(tx, from.accountId);
  const isNew =
    (profileKey !== undefined && !isSameKey(profileKey, held.profileKey)) ||
    (contactKey !== undefined && !isSameKey(contactKey, held.contactKey));
  if (!isNew) return false;
  const next = create(HeldKeysSchema, held);
  if (profileKey !== undefined) next.profileKey = sharedKey(profileKey);
  if (contactKey !== undefined) next.contactKey = sharedKey(contactKey);
  tx.put(TABLE, accountKey(from.accountId), toBinary(HeldKeysSchema, next));
  return true;
}

/** For a receipt to that device: its keys need not come again. */
export async function echoesFor(
  tx: Transaction,
  of: DeviceAddress,
): Promise<Pick<Receipt, "liveKeyId" | "profileKeyId" | "contactKeyId">> {
  const { profileKey, contactKey } = await ofAccount(tx, of.accountId);
  const { keys } = await ofDevice(tx, of);
  return {
    liveKeyId: keys.at(-1)?.id ?? NONE,
    profileKeyId: profileKey?.id ?? NONE,
    contactKeyId: contactKey?.id ?? NONE,
  };
}

const NONE = new Uint8Array();

export async function heldLiveKey(
  tx: Transaction,
  of: DeviceAddress,
  id: Uint8Array,
): Promise<Uint8Array | undefined> {
  const { keys } = await ofDevice(tx, of);
  return keys.find((key) => equalBytes(key.id, id))?.key;
}

/** What may open the account's presence. Which of them does, only the account knows. */
export async function presenceTokens(tx: Transaction, accountId: string): Promise<Uint8Array[]> {
  const { contactKey, profileKey } = await ofAccount(tx, accountId);
  return [contactKey, profileKey].flatMap((key) => (key ? [presenceToken(key.key)] : []));
}

/** The account was blocked. */
export async function dropHeldKeys(tx: Transaction, accountId: string): Promise<void> {
  tx.delete(TABLE, accountKey(accountId));
  for (const { key } of await tx.range(TABLE, under(`${accountKey(accountId)}/`)))
    tx.delete(TABLE, key);
}

async function holdLiveKey(
  tx: Transaction,
  from: DeviceAddress,
  liveKey: NonNullable<Content["liveKey"]>,
): Promise<void> {
  const { keys } = await ofDevice(tx, from);
  if (isSameKey(keys.at(-1), liveKey)) return;
  const others = keys.filter(({ id }) => !equalBytes(id, liveKey.id));
  const held = create(HeldLiveKeysSchema, {
    keys: [...others, sharedKey(liveKey)].slice(-LIVE_KEYS_MAX),
  });
  tx.put(TABLE, deviceKey(from), toBinary(HeldLiveKeysSchema, held));
}

async function ofAccount(tx: Transaction, accountId: string): Promise<HeldKeys> {
  const row = await tx.get(TABLE, accountKey(accountId));
  return row === undefined ? create(HeldKeysSchema) : fromBinary(HeldKeysSchema, row);
}

async function ofDevice(tx: Transaction, device: DeviceAddress): Promise<HeldLiveKeys> {
  const row = await tx.get(TABLE, deviceKey(device));
  return row === undefined ? create(HeldLiveKeysSchema) : fromBinary(HeldLiveKeysSchema, row);
}
