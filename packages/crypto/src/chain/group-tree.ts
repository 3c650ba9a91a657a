import {
  type AccountEntryPlace,
  concatBytes,
  type GroupEntry,
  type SignedGroupEntry,
  toHex,
} from "@parley/protocol";
import type { Operation } from "../operation.ts";
import { sha256 } from "../primitives/hash.ts";
import { comparePlaces, entryHash } from "./account-state.ts";
import {
  childrenOf,
  type EntryNode,
  type EntryTree,
  emptyTree,
  type Growth,
  grow,
  type Judgement,
  pathTo,
  type ReadEntry,
} from "./entry-tree.ts";
import { type GroupState, listOf, memberOf, quotedList } from "./group-state.ts";
import { type Fork, type ForkRules, standingBehind } from "./settle-forks.ts";
import {
  type DevicesAt,
  type GroupRefusal,
  type ReadGroupEntry,
  readGroupEntry,
  verifyGroupEntry,
} from "./verify-group-entry.ts";

/** All changes of one group that proved valid, and what cannot be judged yet. */
export interface GroupTree {
  readonly groupId: Uint8Array;
  readonly entries: EntryTree<GroupNode, GroupRead>;
}

export interface GroupNode extends EntryNode {
  readonly signed: SignedGroupEntry;
  readonly entry: GroupEntry;
  /** After this entry. */
  readonly state: GroupState;
}

interface GroupRead extends ReadEntry, ReadGroupEntry {}

/** Changes of one group that are kept: a change a minute for six weeks. */
export const GROUP_ENTRIES_MAX = 65_536;

export type GroupGrowth = Growth<GroupTree, GroupRefusal | "too-many-entries">;

export function emptyGroupTree(groupId: Uint8Array): GroupTree {
  return { groupId, entries: emptyTree() };
}

/**
 * Takes entries in any order, from any branch, any number of times; also none, once an account's chain has come that
 * something waited for.
 */
export function* growGroupTree(
  { groupId, entries }: GroupTree,
  added: readonly SignedGroupEntry[],
  devicesAt: DevicesAt,
): Operation<GroupGrowth> {
  const read: { at: number; read: GroupRead }[] = [];
  const malformed: { at: number; reason: GroupRefusal }[] = [];
  for (const [at, signed] of added.entries()) {
    const entry = readGroupEntry(signed.body);
    if (entry === undefined) malformed.push({ at, reason: "malformed" });
    else read.push({ at, read: readOf(signed, entry) });
  }
  const judge = (one: GroupRead, nodes: ReadonlyMap<string, GroupNode>) =>
    judgeGroupEntry({ groupId, devicesAt }, one, nodes);
  const grown = yield* grow(entries, read, { judge });
  return {
    tree: { groupId, entries: grown.tree },
    refused: [...malformed, ...grown.refused].sort((a, b) => a.at - b.at),
  };
}

export type GroupStanding =
  /** The first entry is not known. */
  | { readonly kind: "unknown" }
  | { readonly kind: "settled"; readonly state: GroupState }
  /** Nothing is sent until it is settled. `state` is what is not in dispute. */
  | {
      readonly kind: "forked";
      readonly state: GroupState;
      /** By rising hash. */
      readonly branches: readonly GroupNode[];
    };

/** What all these changes say together (trust.md 4): the owner settles a fork, or its authors do. */
export function groupStanding({ entries }: GroupTree): GroupStanding {
  const [first] = childrenOf(entries, "");
  if (first === undefined) return { kind: "unknown" };
  const { tip, fork } = standingBehind(entries, first, groupForkRules(entries.nodes));
  return fork === undefined
    ? { kind: "settled", state: tip.state }
    : { kind: "forked", state: tip.state, branches: fork };
}

/** From the group's first entry to this one. */
export function groupPathTo({ entries }: GroupTree, node: GroupNode): GroupNode[] {
  return pathTo(entries, node);
}

function groupForkRules(nodes: ReadonlyMap<string, GroupNode>): ForkRules<GroupNode> {
  return {
    authorOf: ({ entry }) => entry.signer && toHex(entry.signer.accountId),
    withdrawn: ({ entry }) => (entry.withdraws.length === 0 ? undefined : toHex(entry.withdraws)),
    mayStillSpeak: (node, { state }) => {
      const { signer } = node.entry;
      const isMember = signer !== undefined && memberOf(state, signer.accountId) !== undefined;
      return isMember && isOnNewestList(node, state);
    },
    chosen: (fork) => chosenByOwner(nodes, fork),
  };
}

/**
 * The branch that the owner's entry names. On every end of the other branches its account must still own the group, and no
 * newer list of it may be quoted: else a device that was removed, or who gave the group away, could settle an old fork by a
 * late word. Of two such words that of the newer list counts, then that for the smaller hash.
 */
function chosenByOwner(
  nodes: ReadonlyMap<string, GroupNode>,
  { branches }: Fork<GroupNode>,
): GroupNode | undefined {
  let chosen: { readonly first: GroupNode; readonly list: AccountEntryPlace } | undefined;
  for (const { first, nodes: branch } of branches) {
    const others = branches.filter((other) => other.first !== first).flatMap(({ ends }) => ends);
    for (const node of branch) {
      if (toHex(node.entry.stands) !== first.hash) continue;
      const list = listOf(node.entry.signer ?? {});
      if (chosen !== undefined && comparePlaces(list, chosen.list) <= 0) continue;
      const grounds = [nodes.get(node.parent), ...others];
      if (!grounds.every((ground) => ground !== undefined && isOwner(node, ground.state))) continue;
      if (others.every((end) => isOnNewestList(node, end.state))) chosen = { first, list };
    }
  }
  return chosen?.first;
}

function isOwner({ entry }: GroupNode, state: GroupState): boolean {
  const { signer } = entry;
  return signer !== undefined && memberOf(state, signer.accountId)?.role === "owner";
}

/** Whether the signer's list is not below the newest that a state has quoted for its account. */
function isOnNewestList({ entry }: GroupNode, state: GroupState): boolean {
  if (entry.signer === undefined) return false;
  const quoted = quotedList(state, entry.signer.accountId);
  return quoted === undefined || comparePlaces(listOf(entry.signer), quoted) >= 0;
}

function readOf(signed: SignedGroupEntry, entry: GroupEntry): GroupRead {
  const { body, signature, inviteSignature } = signed;
  return {
    hash: toHex(entryHash(body)),
    wholeHash: toHex(sha256(concatBytes(signature, inviteSignature, body))),
    follows: toHex(entry.previousHash),
    signed,
    entry,
  };
}

function* judgeGroupEntry(
  { groupId, devicesAt }: { readonly groupId: Uint8Array; readonly devicesAt: DevicesAt },
  { hash, follows, signed, entry }: GroupRead,
  nodes: ReadonlyMap<string, GroupNode>,
): Operation<Judgement<GroupNode, GroupRefusal | "too-many-entries">> {
  if (nodes.size >= GROUP_ENTRIES_MAX) return { kind: "refused", reason: "too-many-entries" };
  const before = nodes.get(follows)?.state;
  const step = yield* verifyGroupEntry({ groupId, before, devicesAt }, { signed, entry });
  if (step.kind !== "state") return step;
  return { kind: "valid", node: { hash, parent: follows, signed, entry, state: step.state } };
}
