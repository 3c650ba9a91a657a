import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AccountEntryPlace,
  type CreateGroup,
  type GroupChange,
  GroupChangeSchema,
  GroupEntrySchema,
  GroupSignerSchema,
  JoinRequestBodySchema,
  type ListSeen,
  type SignedGroupEntry,
  SignedGroupEntrySchema,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { DeviceKeys } from "../identity/device-keys.ts";
import { LABELS, labelled } from "../labels.ts";
import { ed25519Sign, type Operation } from "../operation.ts";
import { entryHash } from "./account-state.ts";
import { applyGroupChange } from "./group-changes.ts";
import { type GroupState, groupStateHash } from "./group-state.ts";
import type { InviteKeys } from "./invite.ts";

export interface SigningMember {
  readonly accountId: Uint8Array;
  readonly keys: Pick<DeviceKeys, "seed" | "ed25519Public">;
  /** The newest entry of its account's chain. */
  readonly list: AccountEntryPlace;
}

export interface SignedGroupStep {
  readonly entry: SignedGroupEntry;
  readonly state: GroupState;
}

export interface GroupIntention {
  readonly change: GroupChange["change"];
  readonly listsSeen?: readonly ListSeen[];
  /** The hash of an own change that lost a fork. */
  readonly withdraws?: Uint8Array;
  /** By the owner: the hash of the first change on this branch, which is to stand. */
  readonly stands?: Uint8Array;
  /** For a join. */
  readonly invite?: InviteKeys;
}

/** The first entry of a group: its hash is the group's id. */
export function* signFirstGroupEntry(
  signer: SigningMember,
  group: CreateGroup,
): Operation<SignedGroupStep> {
  return yield* sign(signer, undefined, { change: { case: "create", value: group } });
}

/** An entry on top of a state. Throws `misuse` where no verifier would take it: ask `groupChangeProblem` first. */
export function* signGroupEntry(
  signer: SigningMember,
  state: GroupState,
  intention: GroupIntention,
): Operation<SignedGroupStep> {
  return yield* sign(signer, state, intention);
}

/** Why an intention cannot stand on a state, as when somebody else's change came first; undefined: it can. */
export function groupChangeProblem(
  signer: SigningMember,
  state: GroupState,
  intention: GroupIntention,
): string | undefined {
  const changed = apply(signer, state, intention);
  return changed.kind === "refused" ? changed.reason : undefined;
}

/** The body of a join request for an invite that wants approval, with both its signatures. */
export function* signJoinRequest(
  joiner: SigningMember,
  groupId: Uint8Array,
  invite: InviteKeys,
): Operation<{
  readonly groupId: Uint8Array;
  readonly body: Uint8Array;
  readonly deviceSignature: Uint8Array;
  readonly inviteSignature: Uint8Array;
}> {
  const request = { groupId, inviteId: invite.id, joiner: signerOf(joiner) };
  const body = toBinary(JoinRequestBodySchema, create(JoinRequestBodySchema, request));
  const { seed } = joiner.keys;
  return {
    groupId,
    body,
    deviceSignature: yield* ed25519Sign(seed, labelled(LABELS.groupRequest, body)),
    inviteSignature: yield* ed25519Sign(invite.signingSeed, labelled(LABELS.groupJoin, body)),
  };
}

function* sign(
  member: SigningMember,
  before: GroupState | undefined,
  intention: GroupIntention,
): Operation<SignedGroupStep> {
  const changed = apply(member, before, intention);
  if (changed.kind === "refused")
    throw new CryptoError("misuse", `no verifier would take this entry: ${changed.reason}`);
  const { change, listsSeen = [], withdraws, stands, invite } = intention;
  const signer = signerOf(member);
  const draft = {
    groupId: before?.groupId ?? NONE,
    version: (before?.version ?? 0) + 1,
    previousHash: before?.headHash ?? NONE,
    signer,
    change: create(GroupChangeSchema, { change }),
    listsSeen: [...listsSeen],
    stateHash: groupStateHash(before?.groupId ?? NONE, changed.contents),
    withdraws: withdraws ?? NONE,
    stands: stands ?? NONE,
  };
  const body = toBinary(GroupEntrySchema, create(GroupEntrySchema, draft));
  const { seed } = member.keys;
  const signature = yield* ed25519Sign(seed, labelled(LABELS.groupEntry, body));
  const inviteSignature =
    change.case === "join" && invite !== undefined
      ? yield* ed25519Sign(invite.signingSeed, labelled(LABELS.groupJoin, body))
      : NONE;
  const headHash = entryHash(body);
  const groupId = before?.groupId ?? headHash;
  return {
    entry: create(SignedGroupEntrySchema, { body, signature, inviteSignature }),
    state: { ...changed.contents, groupId, version: draft.version, headHash },
  };
}

function apply(member: SigningMember, before: GroupState | undefined, intention: GroupIntention) {
  const { change, listsSeen = [], withdraws, stands } = intention;
  const settles = withdraws !== undefined || stands !== undefined;
  return applyGroupChange(before, { change, signer: signerOf(member), listsSeen, settles });
}

function signerOf({ accountId, keys, list }: SigningMember) {
  return create(GroupSignerSchema, { accountId, deviceKey: keys.ed25519Public, list });
}

const NONE = new Uint8Array(0);
