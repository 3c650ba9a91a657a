import type { AccountEntry, AccountEntryPlace, SignedAccountEntry } from "@parley/protocol";
import { concatBytes, equalBytes, toHex } from "@parley/protocol";
import type { Operation } from "../operation.ts";
import { sha256 } from "../primitives/hash.ts";
import { type AccountState, accountPlace, entryHash } from "./account-state.ts";
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
import { type ForkRules, standingBehind } from "./settle-forks.ts";
import { type ChainRefusal, readAccountEntry, verifyAccountEntry } from "./verify-account-entry.ts";
import type { DevicesAt } from "./verify-group-entry.ts";

/** All entries of one account that proved valid, and what cannot be judged yet. */
export interface AccountTree {
  readonly accountId: Uint8Array;
  readonly entries: EntryTree<AccountNode, AccountRead>;
}

export interface AccountNode extends EntryNode {
  readonly signed: SignedAccountEntry;
  readonly entry: AccountEntry;
  /** After this entry. */
  readonly state: AccountState;
  /** Identity key of the device that signed; undefined: the root. */
  readonly signerKey: Uint8Array | undefined;
}

interface AccountRead extends ReadEntry {
  readonly signed: SignedAccountEntry;
  readonly entry: AccountEntry;
}

/**
 * Entries of one account that are kept; a device that signs more is refused, and nobody believes its account until the
 * root begins an era: what the root signs is always taken.
 */
export const ACCOUNT_ENTRIES_MAX = 4096;

export type AccountGrowth = Growth<AccountTree, ChainRefusal | "too-many-entries">;

export function emptyAccountTree(accountId: Uint8Array): AccountTree {
  return { accountId, entries: emptyTree() };
}

/** Takes entries in any order, from any branch, any number of times. */
export function* growAccountTree(
  { accountId, entries }: AccountTree,
  added: readonly SignedAccountEntry[],
): Operation<AccountGrowth> {
  const read: { at: number; read: AccountRead }[] = [];
  const malformed: { at: number; reason: ChainRefusal }[] = [];
  for (const [at, signed] of added.entries()) {
    const entry = readAccountEntry(signed.body);
    if (entry === undefined) malformed.push({ at, reason: "malformed" });
    else read.push({ at, read: readOf(signed, entry) });
  }
  const judge = (one: AccountRead, nodes: ReadonlyMap<string, AccountNode>) =>
    judgeAccountEntry(accountId, one, nodes);
  const grown = yield* grow(entries, read, { judge });
  return {
    tree: { accountId, entries: grown.tree },
    refused: [...malformed, ...grown.refused].sort((a, b) => a.at - b.at),
  };
}

export type AccountStanding =
  /** No entry of the root is known. */
  | { readonly kind: "unknown" }
  | { readonly kind: "settled"; readonly state: AccountState }
  /** Nothing is sent until it is settled. `state` is what is not in dispute. */
  | {
      readonly kind: "forked";
      readonly state: AccountState;
      /** By rising hash. */
      readonly branches: readonly AccountNode[];
    };

/**
 * What all these entries say together (trust.md 2). The highest era counts, and nothing of an earlier one; in it, what
 * devices signed, where every fork is settled by its authors.
 */
export function accountStanding({ entries }: AccountTree): AccountStanding {
  const roots = childrenOf(entries, "");
  const era = Math.max(0, ...roots.map(({ state }) => state.era));
  const [first, ...others] = roots.filter(({ state }) => state.era === era);
  if (first === undefined) return { kind: "unknown" };
  // The root has signed two eras of one number: only a later one settles that.
  if (others.length > 0)
    return { kind: "forked", state: first.state, branches: [first, ...others] };
  const { tip, fork } = standingBehind(entries, first, ACCOUNT_FORK_RULES);
  return fork === undefined
    ? { kind: "settled", state: tip.state }
    : { kind: "forked", state: tip.state, branches: fork };
}

/** The entry at a place; undefined where it is not known, which says nothing about whether it stands. */
export function accountEntryAt(
  { entries }: AccountTree,
  { era, version, hash }: AccountEntryPlace,
): AccountNode | undefined {
  const node = entries.nodes.get(toHex(hash));
  return node?.state.era === era && node.state.version === version ? node : undefined;
}

/** What a group's chain asks of these accounts' chains. */
export function accountDevicesIn(trees: readonly AccountTree[]): DevicesAt {
  const byAccount = new Map(trees.map((tree) => [toHex(tree.accountId), tree]));
  return (accountId, place) => {
    const tree = byAccount.get(toHex(accountId));
    return tree && accountEntryAt(tree, place)?.state.devices;
  };
}

/** From the root's entry of its era to this one. */
export function accountPathTo({ entries }: AccountTree, node: AccountNode): AccountNode[] {
  return pathTo(entries, node);
}

/** Where the chain stands that is not in dispute, from the root's entry of the era on. */
export function accountPlaces(tree: AccountTree, state: AccountState): AccountEntryPlace[] {
  const node = tree.entries.nodes.get(toHex(state.headHash));
  return node === undefined ? [] : accountPathTo(tree, node).map((one) => accountPlace(one.state));
}

const ACCOUNT_FORK_RULES: ForkRules<AccountNode> = {
  authorOf: ({ signerKey }) => signerKey && toHex(signerKey),
  withdrawn: ({ entry }) => entry.withdraws && toHex(entry.withdraws.hash),
  mayStillSpeak: ({ signerKey }, { state }) =>
    signerKey !== undefined &&
    state.devices.some(({ identityKey }) => equalBytes(identityKey, signerKey)),
  chosen: () => undefined,
};

function readOf(signed: SignedAccountEntry, entry: AccountEntry): AccountRead {
  return {
    hash: toHex(entryHash(signed.body)),
    wholeHash: toHex(sha256(concatBytes(signed.signature, signed.body))),
    // An entry of the root stands for itself, whatever it accepts.
    follows: entry.signer.case === "root" ? "" : toHex(entry.previousHash),
    signed,
    entry,
  };
}

function* judgeAccountEntry(
  accountId: Uint8Array,
  { hash, follows, signed, entry }: AccountRead,
  nodes: ReadonlyMap<string, AccountNode>,
): Operation<Judgement<AccountNode, ChainRefusal | "too-many-entries">> {
  const before = nodes.get(follows)?.state;
  if (entry.signer.case === "device") {
    // A first entry follows nothing, and only the root signs it.
    if (before === undefined) return { kind: "refused", reason: "no-root-entry" };
    if (nodes.size >= ACCOUNT_ENTRIES_MAX) return { kind: "refused", reason: "too-many-entries" };
  }
  const step = yield* verifyAccountEntry({ accountId, before, known: undefined }, signed);
  if (step.kind === "refused") return step;
  const { state } = step;
  const { signer } = entry;
  const signerId = signer.case === "device" ? signer.value.deviceId : undefined;
  const signerKey = before?.devices.find(({ deviceId }) => deviceId === signerId)?.identityKey;
  return { kind: "valid", node: { hash, parent: follows, signed, entry, state, signerKey } };
}
