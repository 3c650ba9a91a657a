import { create } from "@bufbuild/protobuf";
import {
  type AccountEntryPlace,
  concatBytes,
  equalBytes,
  type GroupDetails,
  type GroupHead,
  GroupHeadSchema,
  type GroupSettings,
  ID_BYTES,
  type OpenInvite,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { LABELS, labelled } from "../labels.ts";
import { sha256 } from "../primitives/hash.ts";
import { lengthPrefixed, uint16Bytes, uint32Bytes } from "../primitives/text.ts";
import { comparePlaces } from "./account-state.ts";

/** Issue 9, and what one fan-out is measured with. */
export const GROUP_MEMBERS_MAX = 256;
/** Links that are open at one time: each is one that an admin must remember to close. */
export const GROUP_INVITES_MAX = 16;
/** Accounts that went, with the list that was quoted and whether they may return by link; the oldest are forgotten. */
export const FORMER_MEMBERS_MAX = 1024;

export type GroupRole = "member" | "admin" | "owner";

export interface GroupMember {
  readonly accountId: Uint8Array;
  readonly role: GroupRole;
  /** The newest list that the chain has quoted for this account. */
  readonly list: AccountEntryPlace;
}

export interface FormerMember {
  readonly accountId: Uint8Array;
  /** Was removed: does not return by link. */
  readonly barred: boolean;
  readonly list: AccountEntryPlace;
}

export interface GroupInvite extends Pick<OpenInvite, "id" | "key" | "maxUses" | "approval"> {
  readonly uses: number;
}

/** What a group's chain says once its head stands. */
export interface GroupState {
  readonly groupId: Uint8Array;
  readonly version: number;
  /** SHA-256 of the newest entry's body, 32 bytes. */
  readonly headHash: Uint8Array;
  /** In their order of joining. */
  readonly members: readonly GroupMember[];
  /** In their order of going. */
  readonly former: readonly FormerMember[];
  /** In their order of opening. */
  readonly invites: readonly GroupInvite[];
  readonly details: Pick<GroupDetails, "sealedName" | "sealedPicture" | "sealedDescription">;
  readonly settings: Pick<GroupSettings, "announcement" | "membersMayAdd" | "membersMayEdit">;
  readonly timerSeconds: number;
}

/** What an entry changes of a state. */
export type GroupContents = Omit<GroupState, "groupId" | "version" | "headHash">;

export function memberOf(
  { members }: Pick<GroupState, "members">,
  accountId: Uint8Array,
): GroupMember | undefined {
  return members.find((member) => equalBytes(member.accountId, accountId));
}

export function ownerOf({ members }: Pick<GroupState, "members">): GroupMember | undefined {
  return members.find(({ role }) => role === "owner");
}

/** How messages and key distributions name the newest entry. */
export function groupHead({ groupId, version, headHash }: GroupState): GroupHead {
  return create(GroupHeadSchema, { groupId, version, hash: headHash.slice(0, ID_BYTES) });
}

/** The list that was quoted last for an account, whether it is a member or was one. */
export function quotedList(
  { members, former }: Pick<GroupState, "members" | "former">,
  accountId: Uint8Array,
): AccountEntryPlace | undefined {
  return [...members, ...former].find((known) => equalBytes(known.accountId, accountId))?.list;
}

/** A place never falls below one that was quoted earlier, and is never another entry at the same place. */
export function mayQuote(earlier: AccountEntryPlace | undefined, now: AccountEntryPlace): boolean {
  if (earlier === undefined) return true;
  const order = comparePlaces(now, earlier);
  return order > 0 || (order === 0 && equalBytes(now.hash, earlier.hash));
}

/** The list of a signer or of a list seen: the schema demands it. */
export function listOf({
  list,
}: {
  readonly list?: AccountEntryPlace | undefined;
}): AccountEntryPlace {
  if (list === undefined) throw new CryptoError("malformed", "names no list");
  return list;
}

/** One owner, as long as there is a member: the admin who joined first, else the member who did (trust.md 4). */
export function withSuccessor(members: readonly GroupMember[]): readonly GroupMember[] {
  if (ownerOf({ members }) !== undefined) return members;
  const successor = members.find(({ role }) => role === "admin") ?? members[0];
  return members.map((member) => (member === successor ? { ...member, role: "owner" } : member));
}

/** The layout stands in the schema, at `GroupEntry.state_hash`. */
export function groupStateHash(groupId: Uint8Array, contents: GroupContents): Uint8Array {
  const { members, former, invites, details, settings, timerSeconds } = contents;
  return sha256(
    labelled(
      LABELS.groupState,
      groupId,
      uint16Bytes(members.length),
      ...members.flatMap((one) => [one.accountId, byte(ROLE[one.role]), listBytes(one.list)]),
      uint16Bytes(former.length),
      ...former.flatMap((one) => [one.accountId, flag(one.barred), listBytes(one.list)]),
      byte(invites.length),
      ...invites.flatMap(({ id, key, maxUses, uses, approval }) => [
        concatBytes(id, key, uint32Bytes(maxUses), uint32Bytes(uses), flag(approval)),
      ]),
      lengthPrefixed(details.sealedName),
      lengthPrefixed(details.sealedPicture),
      lengthPrefixed(details.sealedDescription),
      ...[settings.announcement, settings.membersMayAdd, settings.membersMayEdit].map(flag),
      uint32Bytes(timerSeconds),
    ),
  );
}

const ROLE: Readonly<Record<GroupRole, number>> = { member: 1, admin: 2, owner: 3 };

const byte = (value: number) => Uint8Array.of(value);
const flag = (value: boolean) => Uint8Array.of(value ? 1 : 0);
const listBytes = ({ era, version, hash }: AccountEntryPlace) =>
  concatBytes(uint32Bytes(era), uint32Bytes(version), hash);
