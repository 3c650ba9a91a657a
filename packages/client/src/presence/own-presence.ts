import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { PresenceSettings, Visibility } from "../api.ts";
import {
  OwnPresence_Visibility as Kept,
  type OwnPresence,
  OwnPresenceSchema,
  type SharedKey,
} from "../gen/parley/store/v1/presence_pb.ts";
import type { Random } from "../ports/random.ts";
import type { Transaction } from "../store/transaction.ts";
import { type KeyWithId, newSharedKey, sharedKey } from "./shared-key.ts";

const ROW = ["vault-settings", "presence"] as const;

/** Contacts see what they would see of somebody in the same room, and nobody else does. */
const DEFAULT: PresenceSettings = { visible: "contacts", lastSeen: true };

const KEPT = {
  everyone: Kept.EVERYONE,
  contacts: Kept.CONTACTS,
  nobody: Kept.NOBODY,
} satisfies Record<Visibility, Kept>;

export interface OwnKeys {
  readonly profileKey: SharedKey;
  readonly contactKey: SharedKey;
}

export type HandedKeys = Readonly<Record<keyof OwnKeys, KeyWithId>>;

/** What the person lets others see. `decided`: by a word of his own, not by default. */
export async function presenceSettings(
  tx: Transaction,
): Promise<PresenceSettings & { readonly decided: boolean }> {
  const { visibility, lastSeen } = await read(tx);
  const visible = (Object.keys(KEPT) as Visibility[]).find((name) => KEPT[name] === visibility);
  return visible === undefined
    ? { ...DEFAULT, decided: false }
    : { visible, lastSeen, decided: true };
}

export async function putPresenceSettings(
  tx: Transaction,
  { visible, lastSeen }: PresenceSettings,
): Promise<void> {
  put(tx, { ...(await read(tx)), visibility: KEPT[visible], lastSeen });
}

/** Made when they first travel. */
export async function ownKeys(tx: Transaction, random: Random): Promise<OwnKeys> {
  const { profileKey, contactKey } = await read(tx);
  if (profileKey !== undefined && contactKey !== undefined) return { profileKey, contactKey };
  return await renewOwnKeys(tx, random);
}

/** Who has the old ones, and is not given these, sees nothing any more. */
export async function renewOwnKeys(tx: Transaction, random: Random): Promise<OwnKeys> {
  const keys = { profileKey: newSharedKey(random), contactKey: newSharedKey(random) };
  put(tx, { ...(await read(tx)), ...keys });
  return keys;
}

/** The keys that this account's other devices have: all of them give out the same. */
export async function takeOwnKeys(
  tx: Transaction,
  { profileKey, contactKey }: HandedKeys,
): Promise<void> {
  const keys = { profileKey: sharedKey(profileKey), contactKey: sharedKey(contactKey) };
  put(tx, { ...(await read(tx)), ...keys });
}

async function read(tx: Transaction): Promise<OwnPresence> {
  const row = await tx.get(...ROW);
  return row === undefined ? create(OwnPresenceSchema) : fromBinary(OwnPresenceSchema, row);
}

function put(tx: Transaction, record: OwnPresence): void {
  tx.put(...ROW, toBinary(OwnPresenceSchema, record));
}
