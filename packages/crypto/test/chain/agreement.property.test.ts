import { fromBinary } from "@bufbuild/protobuf";
import {
  GroupEntrySchema,
  type SignedAccountEntry,
  type SignedGroupEntry,
  toHex,
} from "@parley/protocol";
import { expect, test } from "vitest";
import {
  type AccountStanding,
  type AccountTree,
  accountDevicesIn,
  accountForkProof,
  accountPathTo,
  accountStanding,
  emptyAccountTree,
  emptyGroupTree,
  GROUP_MEMBERS_MAX,
  type GroupStanding,
  type GroupTree,
  groupChangeProblem,
  groupForkProof,
  groupPathTo,
  groupStanding,
  growAccountTree,
  growGroupTree,
  type SignedGroupStep,
  signGroupEntry,
  verifyAccountChain,
  verifyAccountForkProof,
  verifyGroupForkProof,
} from "../../src/index.ts";
import { AccountHistory } from "../fixtures/account-history.ts";
import { memberWith } from "../fixtures/chain-person.ts";
import { Dice } from "../fixtures/dice.ts";
import { GroupHistory } from "../fixtures/group-history.ts";
import { run } from "../fixtures/party.ts";

/** More than the 300 of the plan: each costs a few milliseconds. */
const ACCOUNT_SEEDS = 400;
const GROUP_SEEDS = 300;
const THIEF_SEEDS = 150;
const VERIFIERS = 3;

/** What has happened in at least one of the histories: a property of nothing but straight chains says nothing. */
class Sometimes {
  readonly counts = new Map<string, number>();
  saw(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** In any order, in any portions, some of it twice. */
function portions<T>(dice: Dice, things: readonly T[]): T[][] {
  const twice = things.filter(() => dice.once(4));
  const all = dice.shuffled([...things, ...twice]);
  const cut: T[][] = [];
  while (all.length > 0) cut.push(all.splice(0, 1 + dice.below(5)));
  return cut;
}

const summary = (standing: AccountStanding | GroupStanding): string =>
  standing.kind === "unknown"
    ? "unknown"
    : [
        standing.kind,
        toHex(standing.state.headHash),
        ...(standing.kind === "forked" ? standing.branches.map(({ hash }) => hash) : []),
      ].join(" ");

function accountSeenBy(
  dice: Dice,
  accountId: Uint8Array,
  entries: readonly SignedAccountEntry[],
): AccountTree {
  let tree = emptyAccountTree(accountId);
  for (const portion of portions(dice, entries)) tree = run(growAccountTree(tree, portion)).tree;
  return tree;
}

test("verifiers agree on an account in whatever order entries, forks and thieves arrive", () => {
  const sometimes = new Sometimes();
  for (let seed = 0; seed < ACCOUNT_SEEDS; seed++) {
    const dice = new Dice(`account ${seed}`);
    const history = new AccountHistory(`account ${seed}`, dice);
    const forkOnceIn = dice.oneOf([2, 4, 8]);
    for (let step = dice.below(14) + 2; step > 0; step--) {
      if (dice.once(4)) history.withdraw();
      else if (dice.once(12)) history.beginEra();
      else history.grow(forkOnceIn);
    }
    const { accountId, signed } = history.person;
    const trees = Array.from({ length: VERIFIERS }, () => accountSeenBy(dice, accountId, signed));
    const standings = trees.map(accountStanding);
    const said = new Set(standings.map(summary));
    expect(said.size, `seed ${seed}: ${[...said].join("\n")}`).toBe(1);
    const [tree] = trees as [AccountTree];
    const standing = standings[0] as AccountStanding;
    expectSound(tree, standing, history);
    sometimes.saw(standing.kind);
    if (tree.entries.children.size > 0 && hasForks(tree)) sometimes.saw(`fork ${standing.kind}`);
  }
  expect(Object.fromEntries(sometimes.counts)).toMatchObject({
    settled: expect.any(Number),
    forked: expect.any(Number),
    "fork settled": expect.any(Number),
  });
});

const hasForks = ({ entries }: AccountTree | GroupTree) =>
  [...entries.children].some(([parent, children]) => parent !== "" && children.length > 1);

/** The newest era, a chain that the plain verifier takes from its root's entry on, and a proof where it is forked. */
function expectSound(tree: AccountTree, standing: AccountStanding, history: AccountHistory): void {
  if (standing.kind === "unknown") throw new Error("the root's entry is lost");
  const { state } = standing;
  expect(state.era).toBe(Math.max(...history.steps.map((step) => step.state.era)));
  const tip = tree.entries.nodes.get(toHex(state.headHash));
  if (tip === undefined) throw new Error("stands where nothing is");
  const entries = accountPathTo(tree, tip).map(({ signed }) => signed);
  expect(run(verifyAccountChain({ accountId: tree.accountId, entries }))).toMatchObject({
    kind: "valid",
    state,
  });
  if (standing.kind !== "forked") return;
  const [one, other] = standing.branches;
  if (one === undefined || other === undefined) throw new Error("no branches");
  expect(run(verifyAccountForkProof(accountForkProof(tree, one, other))).kind).toBe("proven");
}

type Message =
  | { readonly kind: "account"; readonly at: number; readonly entry: SignedAccountEntry }
  | { readonly kind: "group"; readonly entry: SignedGroupEntry };

/** A verifier who meets the accounts' entries and the group's in one stream. */
function groupSeenBy(
  dice: Dice,
  history: GroupHistory,
): { group: GroupTree; accounts: AccountTree[] } {
  const accounts = history.accounts.map(({ person }) => emptyAccountTree(person.accountId));
  const messages: Message[] = [
    ...history.accounts.flatMap(({ person }, at) =>
      person.signed.map((entry) => ({ kind: "account", at, entry }) as const),
    ),
    ...history.steps.map(({ entry }) => ({ kind: "group", entry }) as const),
  ];
  let group = emptyGroupTree(history.groupId);
  for (const portion of portions(dice, messages)) {
    for (const message of portion)
      if (message.kind === "account") {
        const before = accounts[message.at] as AccountTree;
        accounts[message.at] = run(growAccountTree(before, [message.entry])).tree;
      }
    const entries = portion.flatMap((message) => (message.kind === "group" ? message.entry : []));
    group = run(growGroupTree(group, entries, accountDevicesIn(accounts))).tree;
  }
  return { group, accounts };
}

test("verifiers agree on a group in whatever order changes, forks, lists and thieves arrive", () => {
  const sometimes = new Sometimes();
  for (let seed = 0; seed < GROUP_SEEDS; seed++) {
    const dice = new Dice(`group ${seed}`);
    const history = new GroupHistory(`group ${seed}`, dice);
    const forkOnceIn = dice.oneOf([2, 5, 10]);
    for (let step = dice.below(16) + 3; step > 0; step--) {
      if (dice.once(5)) history.growAccount();
      else if (dice.once(6)) history.settle();
      else history.grow(forkOnceIn);
    }
    const views = Array.from({ length: VERIFIERS }, () => groupSeenBy(dice, history));
    const said = new Set(views.map(({ group }) => summary(groupStanding(group))));
    expect(said.size, `seed ${seed}: ${[...said].join("\n")}`).toBe(1);
    const { group, accounts } = views[0] as (typeof views)[0];
    // What still waits follows what was refused.
    for (const { follows } of group.entries.waiting.values())
      expect(group.entries.nodes.has(follows)).toBe(false);
    const standing = groupStanding(group);
    expectSoundGroup(group, accounts, standing);
    sometimes.saw(standing.kind);
    if (hasForks(group)) sometimes.saw(`fork ${standing.kind}`);
    for (const { kind } of history.refused) sometimes.saw(kind);
  }
  expect(Object.fromEntries(sometimes.counts)).toMatchObject({
    settled: expect.any(Number),
    forked: expect.any(Number),
    "fork settled": expect.any(Number),
    "list-below": expect.any(Number),
  });
});

function expectSoundGroup(
  group: GroupTree,
  accounts: readonly AccountTree[],
  standing: GroupStanding,
): void {
  if (standing.kind === "unknown") throw new Error("the first entry is lost");
  const { members, headHash } = standing.state;
  expect(members.length).toBeLessThanOrEqual(GROUP_MEMBERS_MAX);
  expect(members.filter(({ role }) => role === "owner")).toHaveLength(Math.min(1, members.length));
  const tip = group.entries.nodes.get(toHex(headHash));
  if (tip === undefined) throw new Error("stands where nothing is");
  const path = groupPathTo(group, tip).map(({ signed }) => signed);
  const alone = growGroupTree(emptyGroupTree(group.groupId), path, accountDevicesIn(accounts));
  expect(groupStanding(run(alone).tree)).toEqual({ kind: "settled", state: standing.state });
  expectRisingLists(path);
  if (standing.kind !== "forked") return;
  const [one, other] = standing.branches;
  if (one === undefined || other === undefined) throw new Error("no branches");
  const proof = groupForkProof({ group, accounts }, one, other);
  expect(run(verifyGroupForkProof(proof)).kind).toBe("proven");
}

/** Of each account, the places that a chain quotes never fall. */
function expectRisingLists(path: readonly SignedGroupEntry[]): void {
  const highest = new Map<string, readonly [number, number]>();
  for (const { body } of path) {
    const { signer, listsSeen } = fromBinary(GroupEntrySchema, body);
    for (const quote of [signer, ...listsSeen]) {
      if (quote?.list === undefined) continue;
      const name = toHex(quote.accountId);
      const now = [quote.list.era, quote.list.version] as const;
      const before = highest.get(name) ?? [0, 0];
      expect(now[0] > before[0] || (now[0] === before[0] && now[1] >= before[1])).toBe(true);
      highest.set(name, now);
    }
  }
}

test("a thief whose device was removed moves an account nowhere: it stands, or is in dispute", () => {
  const sometimes = new Sometimes();
  for (let seed = 0; seed < THIEF_SEEDS; seed++) {
    const dice = new Dice(`thief ${seed}`);
    const history = new AccountHistory(`thief ${seed}`, dice);
    const stolen = history.addTo(history.tip);
    for (let step = dice.below(4); step > 0; step--)
      history.growBy(dice.oneOf([stolen, undefined]));
    history.remove(stolen);
    for (let step = dice.below(3); step > 0; step--) history.growBy(undefined);
    const honest = history.tip.state;
    const path = new Set(history.steps.map(({ state }) => toHex(state.headHash)));
    for (let step = dice.below(6) + 1; step > 0; step--) history.forge(stolen);
    const tree = accountSeenBy(dice, history.person.accountId, history.person.signed);
    const standing = accountStanding(tree);
    sometimes.saw(standing.kind);
    if (standing.kind === "settled") expect(standing.state, `seed ${seed}`).toEqual(honest);
    else if (standing.kind === "forked")
      expect(path.has(toHex(standing.state.headHash)), `seed ${seed}`).toBe(true);
  }
  expect(sometimes.counts.get("forked")).toBeGreaterThan(0);
});

test("a thief whose device was removed moves a group nowhere, though its account owned it", () => {
  const sometimes = new Sometimes();
  for (let seed = 0; seed < THIEF_SEEDS; seed++) {
    const dice = new Dice(`group thief ${seed}`);
    const history = new GroupHistory(`group thief ${seed}`, dice);
    const owner = history.accounts[0] as AccountHistory;
    const stolen = owner.addTo(owner.tip);
    const before = owner.tip.state;
    const old = memberWith(owner.person, stolen, before);
    for (let step = dice.below(4); step > 0; step--) history.growStraight();
    owner.remove(stolen);
    history.quote(owner);
    for (let step = dice.below(3); step > 0; step--) history.growStraight();
    const honest = history.tip.state;
    const path = new Set(history.steps.map(({ state }) => toHex(state.headHash)));
    const forged: SignedGroupStep[] = [];
    for (let step = dice.below(6) + 1; step > 0; step--) {
      const on = dice.oneOf([...history.steps, ...forged]);
      const intention = history.someIntention(on, [...history.steps, ...forged]);
      if (groupChangeProblem(old, on.state, intention) === undefined)
        forged.push(run(signGroupEntry(old, on.state, intention)));
    }
    history.steps.push(...forged);
    const { group } = groupSeenBy(dice, history);
    const standing = groupStanding(group);
    sometimes.saw(standing.kind);
    if (standing.kind === "settled") expect(standing.state, `seed ${seed}`).toEqual(honest);
    else if (standing.kind === "forked")
      expect(path.has(toHex(standing.state.headHash)), `seed ${seed}`).toBe(true);
  }
  expect(sometimes.counts.get("forked")).toBeGreaterThan(0);
});
