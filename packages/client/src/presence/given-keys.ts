import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { equalBytes, type Receipt } from "@parley/protocol";
import { isAcceptedContact } from "../contacts.ts";
import { under } from "../conversation/keys.ts";
import type { Wrapping } from "../conversation/wrapper.ts";
import {
  EchoedKeysSchema,
  type GivenKeys,
  GivenKeysSchema,
  type SharedKey,
} from "../gen/parley/store/v1/presence_pb.ts";
import type { Random } from "../ports/random.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";
import { ownKeys } from "./own-presence.ts";
import { newSharedKey } from "./shared-key.ts";

const TABLE = "shared-keys";
const GIVEN = "given/";

/** So long a live key is used (trust.md 5). */
const USED_MS_MAX = 24 * 60 * 60 * 1000;

export interface Giving {
  readonly random: Random;
  readonly nowMs: number;
}

/** Under which lists of both accounts a live key holds: the hashes of their heads. */
export interface ListHashes {
  readonly own: Uint8Array;
  readonly theirs: Uint8Array;
}

export type RidingKeys = Pick<Wrapping, "liveKey" | "profileKey" | "contactKey">;

/**
 * The keys that go along in what is being encrypted for a contact's device: those that it has not echoed
 * (trust.md 5 and 10). None to strangers.
 */
export async function ridingKeys(
  tx: Transaction,
  giving: Giving,
  { to, lists }: { readonly to: DeviceAddress; readonly lists: ListHashes },
): Promise<RidingKeys> {
  if (!(await isAcceptedContact(tx, to.accountId))) return {};
  const { profileKey, contactKey } = await ownKeys(tx, giving.random);
  const given = await currentFor(tx, giving, { accountId: to.accountId, lists });
  const echoed = given.echoed.find(({ deviceId }) => deviceId === to.deviceId);
  const unlessEchoed = (key: SharedKey | undefined, id: Uint8Array | undefined) =>
    key !== undefined && id !== undefined && equalBytes(key.id, id) ? undefined : key;
  return {
    liveKey: unlessEchoed(given.liveKey, echoed?.liveKeyId),
    profileKey: unlessEchoed(profileKey, echoed?.profileKeyId),
    contactKey: unlessEchoed(contactKey, echoed?.contactKeyId),
  };
}

/** What a contact's device says that it holds. One that lost what it had says less than before. */
export async function noteEchoes(
  tx: Transaction,
  { accountId, deviceId }: DeviceAddress,
  { liveKeyId, profileKeyId, contactKeyId }: Receipt,
): Promise<void> {
  const given = await find(tx, accountId);
  if (given === undefined) return;
  const said = create(EchoedKeysSchema, { deviceId, liveKeyId, profileKeyId, contactKeyId });
  const before = given.echoed.find((echoed) => echoed.deviceId === deviceId);
  if (before !== undefined && isSame(before, said)) return;
  const others = given.echoed.filter((echoed) => echoed !== before);
  put(tx, accountId, { ...given, echoed: [...others, said] });
}

/** The key for a live frame to this contact. Undefined: none was given that still holds, or it is a stranger. */
export async function liveKeyInUse(
  tx: Transaction,
  giving: Giving,
  { accountId, lists }: { readonly accountId: string; readonly lists: ListHashes },
): Promise<SharedKey | undefined> {
  const held = await find(tx, accountId);
  if (held === undefined || !isUnder(held, lists)) return undefined;
  if (!(await isAcceptedContact(tx, accountId))) return undefined;
  const given = await currentFor(tx, giving, { accountId, lists });
  const { liveKey, previousLiveKey, previousUntilMs } = given;
  if (liveKey === undefined) return undefined;
  const isKnown = given.echoed.some(({ liveKeyId }) => equalBytes(liveKeyId, liveKey.id));
  const keepsPrevious = !isKnown && giving.nowMs < Number(previousUntilMs);
  if (keepsPrevious && previousLiveKey !== undefined) return previousLiveKey;
  if (given.firstUsedAtMs === 0n)
    put(tx, accountId, { ...given, firstUsedAtMs: BigInt(giving.nowMs) });
  return liveKey;
}

/** The account was blocked: should it be let in again, it is given another. True where it had one. */
export async function forgetGivenKeys(tx: Transaction, accountId: string): Promise<boolean> {
  if ((await find(tx, accountId)) === undefined) return false;
  tx.delete(TABLE, GIVEN + accountId);
  return true;
}

/** This device was rolled back: it begins anew with everybody (trust.md 7). */
export async function forgetAllGivenKeys(tx: Transaction): Promise<void> {
  for (const { key } of await tx.range(TABLE, under(GIVEN))) tx.delete(TABLE, key);
}

/** Made anew where a list has changed, and after a day of use. */
async function currentFor(
  tx: Transaction,
  { random, nowMs }: Giving,
  { accountId, lists }: { readonly accountId: string; readonly lists: ListHashes },
): Promise<GivenKeys> {
  const given = await find(tx, accountId);
  if (given !== undefined && isUnder(given, lists) && !isUsedUp(given, nowMs)) return given;
  const liveKey = newSharedKey(random);
  const fresh =
    given !== undefined && isUnder(given, lists)
      ? {
          ...given,
          liveKey,
          firstUsedAtMs: 0n,
          previousLiveKey: given.liveKey,
          previousUntilMs: BigInt(nowMs + USED_MS_MAX),
        }
      : // A device that was removed has the old one.
        create(GivenKeysSchema, { liveKey, ownList: lists.own, theirList: lists.theirs });
  put(tx, accountId, fresh);
  return fresh;
}

function isUnder({ ownList, theirList }: GivenKeys, { own, theirs }: ListHashes): boolean {
  return equalBytes(ownList, own) && equalBytes(theirList, theirs);
}

function isUsedUp({ firstUsedAtMs }: GivenKeys, nowMs: number): boolean {
  return firstUsedAtMs !== 0n && nowMs - Number(firstUsedAtMs) >= USED_MS_MAX;
}

type Echoed = GivenKeys["echoed"][number];

function isSame(a: Echoed, b: Echoed): boolean {
  return (
    equalBytes(a.liveKeyId, b.liveKeyId) &&
    equalBytes(a.profileKeyId, b.profileKeyId) &&
    equalBytes(a.contactKeyId, b.contactKeyId)
  );
}

async function find(tx: Transaction, accountId: string): Promise<GivenKeys | undefined> {
  const row = await tx.get(TABLE, GIVEN + accountId);
  return row && fromBinary(GivenKeysSchema, row);
}

function put(tx: Transaction, accountId: string, given: GivenKeys): void {
  tx.put(TABLE, GIVEN + accountId, toBinary(GivenKeysSchema, given));
}
