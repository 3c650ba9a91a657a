import {
  type AddMembers,
  type CreateGroup,
  equalBytes,
  type GroupChange,
  type GroupSigner,
  type ListSeen,
  type OpenInvite,
} from "@parley/protocol";
import {
  FORMER_MEMBERS_MAX,
  GROUP_INVITES_MAX,
  GROUP_MEMBERS_MAX,
  type GroupContents,
  type GroupMember,
  listOf,
  mayQuote,
  memberOf,
  quotedList,
  withSuccessor,
} from "./group-state.ts";

/** Why a change of a group cannot stand where it does. */
export type GroupChangeRefusal =
  | "not-a-member"
  | "role-forbids"
  | "member-already"
  /** The account that the change is about is none of those that it could be about. */
  | "wrong-target"
  | "too-many-members"
  /** A list below one that was quoted earlier, or another one at its place. */
  | "list-below"
  | "no-such-invite"
  | "invite-used-up"
  | "invite-needs-approval"
  /** It was removed. */
  | "no-return-by-link"
  | "invite-taken"
  | "too-many-invites"
  | "changes-nothing"
  /** Newer than this code. */
  | "unknown-change";

export type ChangedGroup =
  | { readonly kind: "contents"; readonly contents: GroupContents }
  | { readonly kind: "refused"; readonly reason: GroupChangeRefusal };

export interface GroupChanging {
  readonly change: GroupChange["change"];
  readonly signer: GroupSigner;
  readonly listsSeen: readonly ListSeen[];
  /** It says something about a fork. */
  readonly settles: boolean;
}

/** The group after an entry; undefined before: it is the first (trust.md 4). */
export function applyGroupChange(
  before: GroupContents | undefined,
  changing: GroupChanging,
): ChangedGroup {
  const changed = before === undefined ? created(changing) : changedBy(before, changing);
  if (typeof changed === "string") return { kind: "refused", reason: changed };
  const contents = withListsSeen(changed, changing.listsSeen);
  return typeof contents === "string"
    ? { kind: "refused", reason: contents }
    : { kind: "contents", contents };
}

type Changed = GroupContents | GroupChangeRefusal;

function created({ change, signer }: GroupChanging): Changed {
  if (change.case !== "create") return "not-a-member";
  const { details, settings, timerSeconds }: CreateGroup = change.value;
  return {
    members: [{ accountId: signer.accountId, role: "owner", list: listOf(signer) }],
    former: [],
    invites: [],
    details: details ?? NO_DETAILS,
    settings: settings ?? NO_SETTINGS,
    timerSeconds,
  };
}

function changedBy(before: GroupContents, changing: GroupChanging): Changed {
  const { change, signer, listsSeen, settles } = changing;
  if (!mayQuote(quotedList(before, signer.accountId), listOf(signer))) return "list-below";
  if (change.case === "join") return joined(before, signer, change.value.inviteId);
  const member = memberOf(before, signer.accountId);
  if (member === undefined) return "not-a-member";
  const quoted = withMember(before, { ...member, list: listOf(signer) });
  const mayEdit = member.role !== "member" || before.settings.membersMayEdit;
  switch (change.case) {
    case "add":
      return added(quoted, member, change.value);
    case "remove":
      return removed(quoted, member, change.value.accountId);
    case "leave":
      return without(quoted, signer.accountId, false);
    case "promote":
    case "demote":
    case "transfer":
      return withRoles(quoted, member, { kind: change.case, ...change.value });
    case "details":
      return mayEdit ? { ...quoted, details: change.value } : "role-forbids";
    case "timer":
      return mayEdit ? { ...quoted, timerSeconds: change.value.seconds } : "role-forbids";
    case "settings":
      return member.role === "member" ? "role-forbids" : { ...quoted, settings: change.value };
    case "openInvite":
      return member.role === "member" ? "role-forbids" : opened(quoted, change.value);
    case "closeInvite":
      return member.role === "member" ? "role-forbids" : closed(quoted, change.value.id);
    case "seeLists":
      return listsSeen.length > 0 || settles ? quoted : "changes-nothing";
    default:
      return "unknown-change";
  }
}

function added(before: GroupContents, by: GroupMember, change: AddMembers): Changed {
  if (by.role === "member" && !before.settings.membersMayAdd) return "role-forbids";
  const uses = change.members.length;
  const invited = change.inviteId.length === 0 ? before : used(before, change.inviteId, uses);
  if (typeof invited === "string") return invited;
  let contents: Changed = invited;
  for (const member of change.members) {
    contents = withNewMember(contents, { accountId: member.accountId, list: listOf(member) });
    if (typeof contents === "string") return contents;
  }
  return contents;
}

function joined(before: GroupContents, signer: GroupSigner, inviteId: Uint8Array): Changed {
  const { accountId } = signer;
  const invite = before.invites.find(({ id }) => equalBytes(id, inviteId));
  if (invite === undefined) return "no-such-invite";
  if (invite.approval) return "invite-needs-approval";
  if (before.former.some((one) => one.barred && equalBytes(one.accountId, accountId)))
    return "no-return-by-link";
  const invited = used(before, inviteId, 1);
  return typeof invited === "string"
    ? invited
    : withNewMember(invited, { accountId, list: listOf(signer) });
}

/** Members by admins, admins by the owner, nobody by himself. */
function removed(before: GroupContents, by: GroupMember, accountId: Uint8Array): Changed {
  const target = memberOf(before, accountId);
  if (target === undefined || equalBytes(by.accountId, accountId)) return "wrong-target";
  const may = by.role === "owner" || (by.role === "admin" && target.role === "member");
  return may ? without(before, accountId, true) : "role-forbids";
}

interface RoleChange {
  readonly kind: "promote" | "demote" | "transfer";
  readonly accountId: Uint8Array;
}

function withRoles(before: GroupContents, by: GroupMember, change: RoleChange): Changed {
  const target = memberOf(before, change.accountId);
  const isSelf = equalBytes(by.accountId, change.accountId);
  switch (change.kind) {
    case "promote":
      if (by.role === "member") return "role-forbids";
      if (target?.role !== "member") return "wrong-target";
      return withMember(before, { ...target, role: "admin" });
    case "demote":
      if (by.role !== "owner" && !isSelf) return "role-forbids";
      if (target?.role !== "admin") return "wrong-target";
      return withMember(before, { ...target, role: "member" });
    case "transfer": {
      if (by.role !== "owner") return "role-forbids";
      if (target === undefined || isSelf) return "wrong-target";
      const mine = memberOf(before, by.accountId) as GroupMember;
      const stepped = withMember(before, { ...mine, role: "admin" });
      return withMember(stepped, { ...target, role: "owner" });
    }
  }
}

function withNewMember(
  before: GroupContents,
  { accountId, list }: Pick<GroupMember, "accountId" | "list">,
): Changed {
  if (memberOf(before, accountId) !== undefined) return "member-already";
  if (before.members.length >= GROUP_MEMBERS_MAX) return "too-many-members";
  if (!mayQuote(quotedList(before, accountId), list)) return "list-below";
  return {
    ...before,
    members: [...before.members, { accountId, role: "member", list }],
    former: before.former.filter((one) => !equalBytes(one.accountId, accountId)),
  };
}

function without(before: GroupContents, accountId: Uint8Array, barred: boolean): GroupContents {
  const { list } = memberOf(before, accountId) as GroupMember;
  const members = before.members.filter((one) => !equalBytes(one.accountId, accountId));
  const former = [...before.former, { accountId, barred, list }].slice(-FORMER_MEMBERS_MAX);
  return { ...before, members: withSuccessor(members), former };
}

function opened(before: GroupContents, { id, key, maxUses, approval }: OpenInvite): Changed {
  if (before.invites.some((one) => equalBytes(one.id, id))) return "invite-taken";
  if (before.invites.length >= GROUP_INVITES_MAX) return "too-many-invites";
  return { ...before, invites: [...before.invites, { id, key, maxUses, approval, uses: 0 }] };
}

function closed(before: GroupContents, inviteId: Uint8Array): Changed {
  const invites = before.invites.filter(({ id }) => !equalBytes(id, inviteId));
  return invites.length === before.invites.length ? "no-such-invite" : { ...before, invites };
}

function used(before: GroupContents, inviteId: Uint8Array, times: number): Changed {
  const invite = before.invites.find(({ id }) => equalBytes(id, inviteId));
  if (invite === undefined) return "no-such-invite";
  const uses = invite.uses + times;
  if (invite.maxUses > 0 && uses > invite.maxUses) return "invite-used-up";
  const invites = before.invites.map((one) => (one === invite ? { ...one, uses } : one));
  return { ...before, invites };
}

/** Of members only, as they are after the change. */
function withListsSeen(after: GroupContents, listsSeen: readonly ListSeen[]): Changed {
  let contents = after;
  for (const seen of listsSeen) {
    const member = memberOf(contents, seen.accountId);
    const list = listOf(seen);
    if (member === undefined) return "wrong-target";
    if (!mayQuote(member.list, list)) return "list-below";
    contents = withMember(contents, { ...member, list });
  }
  return contents;
}

function withMember(before: GroupContents, member: GroupMember): GroupContents {
  const members = before.members.map((one) =>
    equalBytes(one.accountId, member.accountId) ? member : one,
  );
  return { ...before, members };
}

const NONE = new Uint8Array(0);
const NO_DETAILS = { sealedName: NONE, sealedPicture: NONE, sealedDescription: NONE };
const NO_SETTINGS = { announcement: false, membersMayAdd: false, membersMayEdit: false };
