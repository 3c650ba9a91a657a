import { expect, test } from "vitest";
import {
  groupForkProof,
  groupStanding,
  type SignedGroupStep,
  type SigningMember,
  verifyGroupForkProof,
} from "../../src/index.ts";
import { ChainPerson } from "../fixtures/chain-person.ts";
import {
  about,
  adding,
  change,
  devicesOf,
  founded,
  grownBy,
  leaving,
  listSeen,
  phoneOf,
  seeing,
  standingOf,
  timer,
  treesOf,
} from "../fixtures/group-chain.ts";
import { run } from "../fixtures/party.ts";

const people = ["ada", "ben", "cleo"].map((name) => new ChainPerson(`forks ${name}`));
const [, ben, cleo] = people as [ChainPerson, ChainPerson, ChainPerson];
const [adas, bens, cleos] = people.map(phoneOf) as [SigningMember, SigningMember, SigningMember];

/** Ada owns it, Ben and Cleo are admins; Ben and Cleo have each signed the fifth change. */
const first = founded(adas);
const grown = change(adas, first.state, adding([listSeen(ben), listSeen(cleo)]));
const promoted = change(adas, grown.state, about("promote", ben));
const base = change(adas, promoted.state, about("promote", cleo));
const trunk = [first, grown, promoted, base];
const byBen = change(bens, base.state, timer(10));
const byCleo = change(cleos, base.state, timer(20));
const fork = [...trunk, byBen, byCleo];

const settledAt = ({ state }: SignedGroupStep) => ({ kind: "settled", state });

test("a fork of a group is open until it is settled", () => {
  expect(standingOf(people, fork)).toMatchObject({ kind: "forked", state: base.state });
});

test("the owner's word settles it, and goes on doing so whatever comes behind it", () => {
  const word = change(adas, byCleo.state, seeing, { stands: byCleo.state.headHash });
  expect(standingOf(people, [...fork, word])).toEqual(settledAt(word));
  const given = change(adas, word.state, about("transfer", ben));
  const gone = change(adas, given.state, leaving);
  expect(standingOf(people, [...fork, word, given, gone])).toEqual(settledAt(gone));
});

test("an admin's word for a branch settles nothing", () => {
  const word = change(cleos, byCleo.state, seeing, { stands: byCleo.state.headHash });
  expect(standingOf(people, [...fork, word]).kind).toBe("forked");
});

test("of two words of the owner that for the smaller hash counts", () => {
  const words = [byBen, byCleo].map((branch) =>
    change(adas, branch.state, seeing, { stands: branch.state.headHash }),
  ) as [SignedGroupStep, SignedGroupStep];
  const isBens = Buffer.compare(byBen.state.headHash, byCleo.state.headHash) < 0;
  expect(standingOf(people, [...fork, ...words])).toEqual(settledAt(words[isBens ? 0 : 1]));
});

test("the author who withdraws his change settles it", () => {
  const moved = change(bens, byCleo.state, timer(10), { withdraws: byBen.state.headHash });
  expect(standingOf(people, [...fork, moved])).toEqual(settledAt(moved));
  const others = change(adas, byCleo.state, timer(10), { withdraws: byBen.state.headHash });
  expect(standingOf(people, [...fork, others]).kind).toBe("forked");
});

test("who was removed does not undo it by a change at an old place", () => {
  const removed = change(adas, byBen.state, about("remove", ben));
  const past = change(bens, base.state, timer(7));
  const takenBack = change(bens, past.state, timer(8), { withdraws: byBen.state.headHash });
  const steps = [...trunk, byBen, removed, past, takenBack];
  expect(standingOf(people, steps)).toMatchObject({ kind: "forked", state: base.state });
  const word = change(adas, removed.state, seeing, { stands: byBen.state.headHash });
  expect(standingOf(people, [...steps, word])).toEqual(settledAt(word));
});

test("no author takes back what others have built on", () => {
  const built = change(adas, byBen.state, about("demote", cleo));
  const moved = change(bens, byCleo.state, timer(10), { withdraws: byBen.state.headHash });
  expect(standingOf(people, [...fork, built, moved]).kind).toBe("forked");
});

test("who gave the group away does not undo it by a word at an old place", () => {
  const given = change(adas, base.state, about("transfer", ben));
  const past = change(cleos, base.state, timer(5));
  const word = change(adas, past.state, seeing, { stands: past.state.headHash });
  expect(standingOf(people, [...trunk, given, past, word]).kind).toBe("forked");
});

test("a proof of a fork holds for anybody, and no altered one does", () => {
  const accounts = treesOf(people);
  const { tree } = grownBy(
    first.state.groupId,
    fork.map(({ entry }) => entry),
    devicesOf(people),
  );
  const standing = groupStanding(tree);
  if (standing.kind !== "forked") throw new Error(standing.kind);
  const [one, other] = standing.branches;
  if (one === undefined || other === undefined) throw new Error("no fork");
  const proof = groupForkProof({ group: tree, accounts }, one, other);
  expect(run(verifyGroupForkProof(proof)).kind).toBe("proven");
  for (const altered of [
    { other: one.signed },
    { trunk: proof.trunk.slice(1) },
    { accounts: proof.accounts.slice(1) },
    { groupId: new Uint8Array(32) },
    { other: { ...other.signed, signature: one.signed.signature } },
  ])
    expect(run(verifyGroupForkProof({ ...proof, ...altered })).kind).toBe("refused");
});
