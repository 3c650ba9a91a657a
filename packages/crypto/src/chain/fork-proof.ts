import { create } from "@bufbuild/protobuf";
import {
  type AccountEvidence,
  AccountEvidenceSchema,
  type AccountForkProof,
  AccountForkProofSchema,
  fromHex,
  type GroupForkProof,
  GroupForkProofSchema,
  type SignedAccountEntry,
  type SignedGroupEntry,
  toHex,
} from "@parley/protocol";
import type { Operation } from "../operation.ts";
import { comparePlaces } from "./account-state.ts";
import {
  type AccountNode,
  type AccountTree,
  accountDevicesIn,
  accountEntryAt,
  accountPathTo,
  emptyAccountTree,
  growAccountTree,
} from "./account-tree.ts";
import type { EntryNode, EntryTree, ReadEntry } from "./entry-tree.ts";
import { listOf } from "./group-state.ts";
import {
  emptyGroupTree,
  type GroupNode,
  type GroupTree,
  groupPathTo,
  growGroupTree,
} from "./group-tree.ts";

/** Two valid entries at one place, as somebody proved them. */
export type ProvenFork<Node> =
  | { readonly kind: "proven"; readonly branches: readonly [Node, Node] }
  | { readonly kind: "refused" };

/** Two branches of a fork as data that anybody verifies, with nothing but the account's id. */
export function accountForkProof(
  tree: AccountTree,
  one: AccountNode,
  other: AccountNode,
): AccountForkProof {
  const trunk = accountPathTo(tree, one).slice(0, -1);
  return create(AccountForkProofSchema, {
    accountId: tree.accountId,
    trunk: trunk.map(({ signed }) => signed),
    one: one.signed,
    other: other.signed,
  });
}

export function* verifyAccountForkProof(
  proof: AccountForkProof,
): Operation<ProvenFork<AccountNode>> {
  const { accountId, trunk, one, other } = proof;
  if (one === undefined || other === undefined) return REFUSED;
  const empty = emptyAccountTree(accountId);
  const { tree, refused } = yield* growAccountTree(empty, [...trunk, one, other]);
  if (refused.length > 0) return REFUSED;
  const verdict = proven(tree.entries, ({ signed }) => signed === one || signed === other);
  if (verdict.kind === "refused") return verdict;
  // What the root signs stands for itself: two eras are no fork.
  const [first, second] = verdict.branches;
  return comparePlaces(first.state, second.state) === 0 ? verdict : REFUSED;
}

/** With what the verifier needs of the account chains that its changes quote. */
export function groupForkProof(
  { group, accounts }: { readonly group: GroupTree; readonly accounts: readonly AccountTree[] },
  one: GroupNode,
  other: GroupNode,
): GroupForkProof {
  const path = groupPathTo(group, one);
  return create(GroupForkProofSchema, {
    groupId: group.groupId,
    trunk: path.slice(0, -1).map(({ signed }) => signed),
    one: one.signed,
    other: other.signed,
    accounts: evidenceFor([...path, other], accounts),
  });
}

export function* verifyGroupForkProof(proof: GroupForkProof): Operation<ProvenFork<GroupNode>> {
  const { groupId, trunk, one, other } = proof;
  if (one === undefined || other === undefined) return REFUSED;
  const accounts = new Map<string, AccountTree>();
  for (const { accountId, entries } of proof.accounts) {
    const before = accounts.get(toHex(accountId)) ?? emptyAccountTree(accountId);
    accounts.set(toHex(accountId), (yield* growAccountTree(before, entries)).tree);
  }
  const devicesAt = accountDevicesIn([...accounts.values()]);
  const entries: readonly SignedGroupEntry[] = [...trunk, one, other];
  const { tree, refused } = yield* growGroupTree(emptyGroupTree(groupId), entries, devicesAt);
  if (refused.length > 0) return REFUSED;
  return proven(tree.entries, (node) => node.signed === one || node.signed === other);
}

const REFUSED = { kind: "refused" } as const;

/** Both stand behind the same entry, so at one place; and they are two. */
function proven<Node extends EntryNode>(
  { nodes }: EntryTree<Node, ReadEntry>,
  isNamed: (node: Node) => boolean,
): ProvenFork<Node> {
  const [one, other, ...more] = [...nodes.values()].filter(isNamed);
  if (one === undefined || other === undefined || more.length > 0) return REFUSED;
  return one.parent === other.parent ? { kind: "proven", branches: [one, other] } : REFUSED;
}

function evidenceFor(
  changes: readonly GroupNode[],
  accounts: readonly AccountTree[],
): AccountEvidence[] {
  const trees = new Map(accounts.map((tree) => [toHex(tree.accountId), tree]));
  const needed = new Map<string, Map<string, SignedAccountEntry>>();
  for (const { entry } of changes) {
    const change = entry.change?.change;
    const added = change?.case === "add" ? change.value.members : [];
    for (const quote of [entry.signer, ...added, ...entry.listsSeen]) {
      const name = quote && toHex(quote.accountId);
      const tree = name === undefined ? undefined : trees.get(name);
      const node = quote && tree && accountEntryAt(tree, listOf(quote));
      if (name === undefined || tree === undefined || node === undefined) continue;
      const entries = needed.get(name) ?? new Map<string, SignedAccountEntry>();
      for (const { hash, signed } of accountPathTo(tree, node)) entries.set(hash, signed);
      needed.set(name, entries);
    }
  }
  return [...needed].map(([name, entries]) =>
    create(AccountEvidenceSchema, { accountId: fromHex(name), entries: [...entries.values()] }),
  );
}
