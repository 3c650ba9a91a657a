import {
  branchOf,
  childrenOf,
  type EntryNode,
  type EntryTree,
  type ReadEntry,
} from "./entry-tree.ts";

/** Where the chain stands behind a node, once its forks are settled as far as they can be. */
export interface Standing<Node> {
  /** The newest entry that is not in dispute. */
  readonly tip: Node;
  /** The entries in dispute, by rising hash; undefined: none. */
  readonly fork: readonly Node[] | undefined;
}

export interface ForkRules<Node extends EntryNode> {
  /** Who signed an entry, as a name; undefined: nobody who could take it back. */
  readonly authorOf: (node: Node) => string | undefined;
  /** The hash of the entry that this one withdraws. */
  readonly withdrawn: (node: Node) => string | undefined;
  /** Whether the author of an entry may still speak where another branch has led. */
  readonly mayStillSpeak: (node: Node, end: Node) => boolean;
  /** A branch that somebody who may has chosen. */
  readonly chosen: (fork: Fork<Node>) => Node | undefined;
}

export interface Fork<Node extends EntryNode> {
  readonly branches: readonly Branch<Node>[];
}

export interface Branch<Node extends EntryNode> {
  readonly first: Node;
  /** The first one included. */
  readonly nodes: readonly Node[];
  /** Those that nothing follows: a branch may be forked itself, and then none of its ends may be left out. */
  readonly ends: readonly Node[];
}

type Tree<Node extends EntryNode> = Pick<EntryTree<Node, ReadEntry>, "nodes" | "children">;

/** Follows a chain from a node on, through every fork that is settled (trust.md 2 and 4). */
export function standingBehind<Node extends EntryNode>(
  tree: Tree<Node>,
  from: Node,
  rules: ForkRules<Node>,
): Standing<Node> {
  let tip = from;
  for (;;) {
    const next = childrenOf(tree, tip.hash);
    if (next.length === 0) return { tip, fork: undefined };
    const standing = next.length === 1 ? next[0] : standingBranch(tree, next, rules);
    if (standing === undefined) return { tip, fork: next };
    tip = standing;
  }
}

function standingBranch<Node extends EntryNode>(
  tree: Tree<Node>,
  firsts: readonly Node[],
  rules: ForkRules<Node>,
): Node | undefined {
  const branches = firsts.map((first) => {
    const nodes = branchOf(tree, first);
    return { first, nodes, ends: nodes.filter(({ hash }) => !tree.children.has(hash)) };
  });
  return rules.chosen({ branches }) ?? leftStanding(tree, branches, rules);
}

/** The branch that all others were given up for; should all be withdrawn, that of the smaller hash. */
function leftStanding<Node extends EntryNode>(
  tree: Tree<Node>,
  branches: readonly Branch<Node>[],
  rules: ForkRules<Node>,
): Node | undefined {
  const words = wordsIn(branches, rules);
  const open = branches.filter((branch) => !isGivenUp(tree, branch, { words, rules }));
  if (open.length === 1) return open[0]?.first;
  if (open.length === 0) return branches[0]?.first;
  const areAllWithdrawn = open.every(({ first }) => words.withdrawn.has(first.hash));
  return areAllWithdrawn ? open[0]?.first : undefined;
}

interface Words {
  /** Hashes of entries that withdraw an entry of their author's on another branch: he has moved to theirs. */
  readonly moves: ReadonlySet<string>;
  /** Hashes of what was withdrawn so, by who may still speak. */
  readonly withdrawn: ReadonlySet<string>;
}

/**
 * The word of whom a branch has removed since does not count against that branch: else who was removed could undo
 * his removal, by a late word on an old fork.
 */
function wordsIn<Node extends EntryNode>(
  branches: readonly Branch<Node>[],
  rules: ForkRules<Node>,
): Words {
  const moves = new Set<string>();
  const withdrawn = new Set<string>();
  for (const target of branches) {
    const entries = new Map(target.nodes.map((node) => [node.hash, node]));
    for (const node of branches.flatMap((branch) => (branch === target ? [] : branch.nodes))) {
      const named = entries.get(rules.withdrawn(node) ?? "");
      const author = rules.authorOf(node);
      if (named === undefined || author === undefined || author !== rules.authorOf(named)) continue;
      moves.add(node.hash);
      if (target.ends.every((end) => rules.mayStillSpeak(node, end))) withdrawn.add(named.hash);
    }
  }
  return { moves, withdrawn };
}

/**
 * Whether all who signed on a branch have left it. An author gives up his own entries, and what he built on them;
 * nobody gives up another's: else one author could undo what all others have done since. A move is no reason to keep a
 * branch: who should have come over from the branch that stands is there already.
 */
function isGivenUp<Node extends EntryNode>(
  { nodes }: Tree<Node>,
  { first, nodes: branch }: Branch<Node>,
  { words, rules }: { readonly words: Words; readonly rules: ForkRules<Node> },
): boolean {
  const { moves, withdrawn } = words;
  return branch.every((node) => {
    if (node !== first && moves.has(node.hash)) return true;
    for (let at: Node = node; ; at = nodes.get(at.parent) as Node) {
      if (withdrawn.has(at.hash) && rules.authorOf(at) === rules.authorOf(node)) return true;
      if (at === first) return false;
    }
  });
}
