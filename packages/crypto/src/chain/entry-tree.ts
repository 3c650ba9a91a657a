import type { Operation } from "../operation.ts";

/**
 * All entries of one chain that proved valid, as a tree: where somebody signed two histories it has branches. What a
 * tree says is a function of the set of its entries, so verifiers who have met the same entries agree, in whatever
 * order they came.
 */
export interface EntryTree<Node extends EntryNode, Read extends ReadEntry> {
  /** By the hash of the body, in hex. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Hashes of what follows an entry; under "" those that follow none. By rising hash. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** What cannot be judged yet, by the hash of body and signature: a false signature shadows no genuine one. */
  readonly waiting: ReadonlyMap<string, Read>;
}

/** An entry that proved valid. */
export interface EntryNode {
  readonly hash: string;
  /** The node that it follows in this tree; "" where it stands for itself. */
  readonly parent: string;
}

/** An entry whose body is of its schema. */
export interface ReadEntry {
  readonly hash: string;
  /** Tells apart entries of one body. */
  readonly wholeHash: string;
  /** What must be in the tree before it can be judged; "" nothing. */
  readonly follows: string;
}

export type Judgement<Node, Reason extends string> =
  | { readonly kind: "valid"; readonly node: Node }
  /** Something that it quotes is not known here yet. */
  | { readonly kind: "waits" }
  | { readonly kind: "refused"; readonly reason: Reason };

/** Entries kept that cannot be judged yet; what comes above is to be fetched again, in its order. */
export const WAITING_ENTRIES_MAX = 256;

export interface Growth<Tree, Reason extends string> {
  readonly tree: Tree;
  /** By position among the entries that were given. */
  readonly refused: readonly { readonly at: number; readonly reason: Reason }[];
}

export interface GrowthRules<
  Node extends EntryNode,
  Read extends ReadEntry,
  Reason extends string,
> {
  readonly judge: (
    read: Read,
    nodes: ReadonlyMap<string, Node>,
  ) => Operation<Judgement<Node, Reason>>;
}

export function emptyTree<Node extends EntryNode, Read extends ReadEntry>(): EntryTree<Node, Read> {
  return { nodes: new Map(), children: new Map(), waiting: new Map() };
}

/** The tree with what is valid of these entries and of those that waited. The tree that is given never changes. */
export function* grow<Node extends EntryNode, Read extends ReadEntry, Reason extends string>(
  tree: EntryTree<Node, Read>,
  entries: readonly { readonly at: number; readonly read: Read }[],
  { judge }: GrowthRules<Node, Read, Reason>,
): Operation<Growth<EntryTree<Node, Read>, Reason>> {
  const nodes = new Map(tree.nodes);
  const children = new Map(tree.children);
  const refused: { at: number; reason: Reason }[] = [];
  const waiting = new Map<string, { at: number; read: Read }>();
  for (const read of tree.waiting.values()) waiting.set(read.wholeHash, { at: -1, read });
  for (const entry of entries) waiting.set(entry.read.wholeHash, entry);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [name, { at, read }] of waiting) {
      if (nodes.has(read.hash)) waiting.delete(name);
      else if (read.follows === "" || nodes.has(read.follows)) {
        const judgement = yield* judge(read, nodes);
        if (judgement.kind === "waits") continue;
        waiting.delete(name);
        if (judgement.kind === "refused") refused.push({ at, reason: judgement.reason });
        else {
          const { node } = judgement;
          nodes.set(node.hash, node);
          children.set(node.parent, [...(children.get(node.parent) ?? []), node.hash].sort());
          grown = true;
        }
      }
    }
  }
  const kept = [...waiting]
    .slice(0, WAITING_ENTRIES_MAX)
    .map(([name, { read }]) => [name, read] as const);
  return {
    tree: { nodes, children, waiting: new Map(kept) },
    refused: refused.filter(({ at }) => at >= 0),
  };
}

export function childrenOf<Node extends EntryNode>(
  { nodes, children }: Pick<EntryTree<Node, ReadEntry>, "nodes" | "children">,
  hash: string,
): Node[] {
  return (children.get(hash) ?? []).map((child) => nodes.get(child) as Node);
}

/** A node and all that follow it. */
export function branchOf<Node extends EntryNode>(
  tree: Pick<EntryTree<Node, ReadEntry>, "nodes" | "children">,
  first: Node,
): Node[] {
  const branch = [first];
  for (const node of branch) branch.push(...childrenOf(tree, node.hash));
  return branch;
}

/** From the first node that stands for itself to this one. */
export function pathTo<Node extends EntryNode>(
  { nodes }: Pick<EntryTree<Node, ReadEntry>, "nodes">,
  last: Node,
): Node[] {
  const path: Node[] = [];
  for (let node: Node | undefined = last; node !== undefined; node = nodes.get(node.parent))
    path.push(node);
  return path.reverse();
}
