import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AccountEntrySchema, SignedAccountEntrySchema } from "@parley/protocol";
import { describe, expect, test } from "vitest";
import {
  type AccountTree,
  accountForkProof,
  accountPlace,
  accountPlaces,
  accountStanding,
  accountStateHash,
  comparePlaces,
  ed25519Sign,
  emptyAccountTree,
  growAccountTree,
  LABELS,
  labelled,
  type SignedStep,
  verifyAccountChain,
  verifyAccountForkProof,
} from "../../src/index.ts";
import { add, ChainPerson, remove } from "../fixtures/chain-person.ts";
import { run } from "../fixtures/party.ts";

const treeOf = (person: ChainPerson, ...steps: SignedStep[]): AccountTree =>
  run(
    growAccountTree(
      emptyAccountTree(person.accountId),
      steps.map(({ entry }) => entry),
    ),
  ).tree;

const standingOf = (person: ChainPerson, ...steps: SignedStep[]) =>
  accountStanding(treeOf(person, ...steps));

/** Two devices, and two entries at one place: the server was restored between them. */
function forked(name: string) {
  const person = new ChainPerson(name);
  const { first: phone } = person;
  const [laptop, tablet, watch] = [person.device(2), person.device(3), person.device(4)] as const;
  const base = person.sign(phone, person.firstStep.state, [add(laptop)]);
  const byPhone = person.sign(phone, base.state, [add(tablet)]);
  const byLaptop = person.sign(laptop, base.state, [add(watch)]);
  const trunk = [person.firstStep, base];
  return { person, phone, laptop, tablet, watch, base, byPhone, byLaptop, trunk };
}

describe("a fork of an account", () => {
  test("is open until it is settled, at the last entry that is not in dispute", () => {
    const { person, trunk, base, byPhone, byLaptop } = forked("open");
    const standing = standingOf(person, ...trunk, byPhone, byLaptop);
    expect(standing).toMatchObject({ kind: "forked", state: { headHash: base.state.headHash } });
    if (standing.kind !== "forked") return;
    expect(standing.branches.map(({ signerKey }) => signerKey)).toHaveLength(2);
  });

  test("is settled by the author who withdraws his entry on the other branch", () => {
    const { person, phone, tablet, trunk, byPhone, byLaptop } = forked("withdrawn");
    const again = person.sign(phone, byLaptop.state, [add(tablet)], accountPlace(byPhone.state));
    expect(standingOf(person, ...trunk, byPhone, byLaptop, again)).toEqual({
      kind: "settled",
      state: again.state,
    });
  });

  test("is settled without a change, where the author gives his up", () => {
    const { person, phone, trunk, byPhone, byLaptop } = forked("given up");
    const again = person.sign(phone, byLaptop.state, [], accountPlace(byPhone.state));
    expect(standingOf(person, ...trunk, byPhone, byLaptop, again)).toEqual({
      kind: "settled",
      state: again.state,
    });
    expect(() => person.sign(phone, byLaptop.state, [])).toThrow("changes nothing");
  });

  test("is not settled by anybody else's word on it", () => {
    const { person, laptop, tablet, trunk, byPhone, byLaptop } = forked("other's word");
    const word = person.sign(laptop, byLaptop.state, [add(tablet)], accountPlace(byPhone.state));
    expect(standingOf(person, ...trunk, byPhone, byLaptop, word).kind).toBe("forked");
  });

  test("where both withdraw stands on the branch of the smaller hash, and goes on from there", () => {
    const { person, phone, laptop, tablet, watch, trunk, byPhone, byLaptop } = forked("both");
    const phoneMoves = person.sign(
      phone,
      byLaptop.state,
      [add(tablet)],
      accountPlace(byPhone.state),
    );
    const laptopMoves = person.sign(
      laptop,
      byPhone.state,
      [add(watch)],
      accountPlace(byLaptop.state),
    );
    const both = [...trunk, byPhone, byLaptop, phoneMoves, laptopMoves];
    const order = Buffer.compare(byPhone.state.headHash, byLaptop.state.headHash);
    const winner = order < 0 ? laptopMoves : phoneMoves;
    expect(standingOf(person, ...both)).toEqual({ kind: "settled", state: winner.state });
    const mover = order < 0 ? laptop : phone;
    const loser = order < 0 ? phone : laptop;
    const later = person.sign(mover, winner.state, [remove(loser)]);
    expect(standingOf(person, ...both, later)).toEqual({ kind: "settled", state: later.state });
  });

  test("is not settled while others built on what one gives up", () => {
    const { person, phone, laptop, trunk, byPhone, byLaptop } = forked("built on");
    const other = person.sign(laptop, byPhone.state, [add(person.device(5))]);
    const moved = person.sign(phone, byLaptop.state, [], accountPlace(byPhone.state));
    const steps = [...trunk, byPhone, byLaptop, other, moved];
    expect(standingOf(person, ...steps).kind).toBe("forked");
    const too = person.sign(laptop, moved.state, [], accountPlace(other.state));
    expect(standingOf(person, ...steps, too)).toEqual({ kind: "settled", state: too.state });
  });

  test("is settled by the next era, whatever devices signed", () => {
    const { person, phone, tablet, trunk, base, byPhone, byLaptop } = forked("era");
    const era = person.nextEra(base.state, [phone, tablet]);
    expect(standingOf(person, ...trunk, byPhone, byLaptop, era)).toEqual({
      kind: "settled",
      state: era.state,
    });
  });

  test("of the root itself is settled by a later era only", () => {
    const { person, phone, tablet, trunk, base } = forked("root");
    const one = person.nextEra(base.state, [phone]);
    const other = person.nextEra(base.state, [tablet]);
    expect(standingOf(person, ...trunk, one, other).kind).toBe("forked");
    const third = person.nextEra(one.state, [phone]);
    expect(standingOf(person, ...trunk, one, other, third)).toEqual({
      kind: "settled",
      state: third.state,
    });
  });
});

test("an era is compared before a version", () => {
  const place = (era: number, version: number) => ({ era, version });
  expect(comparePlaces(place(2, 1), place(1, 9))).toBeGreaterThan(0);
  expect(comparePlaces(place(1, 9), place(2, 1))).toBeLessThan(0);
  expect(comparePlaces(place(2, 1), place(2, 2))).toBeLessThan(0);
  expect(comparePlaces(place(2, 2), place(2, 2))).toBe(0);
  const { person, trunk, base, byPhone } = forked("eras");
  const era = person.nextEra(base.state, [person.device(9)]);
  const entries = [...trunk, byPhone].map(({ entry }) => entry);
  const { accountId } = person;
  expect(run(verifyAccountChain({ accountId, entries, known: era.state })).kind).toBe("older");
  const known = byPhone.state;
  expect(run(verifyAccountChain({ accountId, entries: [era.entry], known }))).toMatchObject({
    kind: "valid",
    state: era.state,
  });
});

describe("a thief with a device", () => {
  test("an era counts before a version: the root's first entry beats a thief's tenth", () => {
    const { person, laptop, trunk, base } = forked("versions");
    let { state } = base;
    const stolen: SignedStep[] = [];
    for (let id = 10; stolen.length < 10; id++) {
      const last = stolen.at(-1);
      const mine = person.device(id);
      const step = person.sign(laptop, state, [
        add(mine),
        ...(last === undefined ? [] : [remove({ ...mine, id: id - 1 })]),
      ]);
      stolen.push(step);
      state = step.state;
    }
    const rescued = person.nextEra(base.state, [person.device(9)]);
    for (const steps of [
      [...trunk, ...stolen, rescued],
      [rescued, ...stolen, ...trunk],
    ])
      expect(standingOf(person, ...steps)).toEqual({ kind: "settled", state: rescued.state });
  });

  test("that was removed does not undo that by a late word on an old fork", () => {
    const { person, phone, laptop, trunk, byPhone, byLaptop, tablet } = forked("late word");
    // The laptop is the thief's. Its entry stands, the phone has moved to it, and removes the laptop there.
    const moved = person.sign(phone, byLaptop.state, [add(tablet)], accountPlace(byPhone.state));
    const removed = person.sign(phone, moved.state, [remove(laptop)]);
    const steps = [...trunk, byPhone, byLaptop, moved, removed];
    expect(standingOf(person, ...steps)).toEqual({ kind: "settled", state: removed.state });
    const late = person.sign(laptop, byPhone.state, [], accountPlace(byLaptop.state));
    expect(standingOf(person, ...steps, late)).toEqual({ kind: "settled", state: removed.state });
  });

  test("that was removed by the very entry that moves does not undo it, whichever hash is smaller", () => {
    const orders = new Set<boolean>();
    for (let round = 0; round < 8; round++) {
      const { person, phone, laptop, trunk, byPhone, byLaptop } = forked(`moves ${round}`);
      orders.add(Buffer.compare(byPhone.state.headHash, byLaptop.state.headHash) < 0);
      const lost = accountPlace(byPhone.state);
      const moved = person.sign(phone, byLaptop.state, [remove(laptop)], lost);
      const late = person.sign(laptop, byPhone.state, [], accountPlace(byLaptop.state));
      expect(standingOf(person, ...trunk, byPhone, byLaptop, moved, late)).toEqual({
        kind: "settled",
        state: moved.state,
      });
    }
    expect(orders.size).toBe(2);
  });

  test("that was removed can dispute the past, and settles it nowhere", () => {
    const { person, phone, laptop, trunk, base } = forked("past");
    const removed = person.sign(phone, base.state, [remove(laptop)]);
    const past = person.sign(laptop, base.state, [remove(phone)]);
    const more = person.sign(laptop, past.state, [add(person.device(9))]);
    expect(standingOf(person, ...trunk, removed, past, more).kind).toBe("forked");
  });
});

describe("a tree", () => {
  test("takes entries before what they follow, and forgets none", () => {
    const { person, trunk, byPhone } = forked("order");
    const [last, ...before] = [byPhone, ...trunk].reverse() as [SignedStep, ...SignedStep[]];
    const growth = run(
      growAccountTree(
        emptyAccountTree(person.accountId),
        before.map(({ entry }) => entry),
      ),
    );
    expect(growth.refused).toEqual([]);
    const whole = run(growAccountTree(growth.tree, [last.entry])).tree;
    expect(accountStanding(whole)).toEqual({ kind: "settled", state: byPhone.state });
    expect(accountPlaces(whole, byPhone.state)).toEqual(
      [...trunk, byPhone].map(({ state }) => accountPlace(state)),
    );
  });

  test("is not kept from a genuine entry by a false signature on its body", () => {
    const { person, trunk, byPhone } = forked("shadow");
    const signature = new Uint8Array(64).fill(1);
    const { body } = byPhone.entry;
    const shadow = create(SignedAccountEntrySchema, { body, signature });
    const entries = [shadow, byPhone.entry, ...trunk.map(({ entry }) => entry)];
    const { tree, refused } = run(growAccountTree(emptyAccountTree(person.accountId), entries));
    expect(refused).toEqual([{ at: 0, reason: "wrong-signature" }]);
    expect(accountStanding(tree)).toEqual({ kind: "settled", state: byPhone.state });
  });

  test("has no branch with a device that has not given its consent", () => {
    const { person, phone, base, trunk, byPhone, tablet } = forked("consent");
    const other = new ChainPerson("somebody else");
    const ghosts = [
      other.device(3).entry,
      { ...tablet.entry, registrationId: 8 },
      { ...tablet.entry, consent: byPhone.entry.signature },
    ];
    for (const ghost of ghosts) {
      const added = add({ ...tablet, entry: ghost });
      expect(() => person.sign(phone, base.state, [added])).toThrow("device-without-consent");
      const body = fromBinary(AccountEntrySchema, byPhone.entry.body);
      body.changes = [added];
      const devices = [...base.state.devices, ghost];
      body.stateHash = accountStateHash(base.state, devices);
      const bytes = toBinary(AccountEntrySchema, body);
      const message = labelled(LABELS.accountEntry, bytes);
      const signature = run(ed25519Sign(phone.keys.seed, message));
      const entry = create(SignedAccountEntrySchema, { body: bytes, signature });
      const tree = treeOf(person, ...trunk);
      const growth = run(growAccountTree(tree, [entry]));
      expect(growth.refused).toEqual([{ at: 0, reason: "device-without-consent" }]);
      expect(accountStanding(growth.tree)).toEqual({ kind: "settled", state: base.state });
    }
  });
});

describe("a proof of a fork", () => {
  test("shows anybody both branches, and needs nothing but the account's id", () => {
    const { person, trunk, byPhone, byLaptop } = forked("proof");
    const tree = treeOf(person, ...trunk, byPhone, byLaptop);
    const standing = accountStanding(tree);
    if (standing.kind !== "forked") throw new Error(standing.kind);
    const [one, other] = standing.branches;
    if (one === undefined || other === undefined) throw new Error("no fork");
    const proof = accountForkProof(tree, one, other);
    expect(run(verifyAccountForkProof(proof)).kind).toBe("proven");

    const refused = (altered: Partial<typeof proof>) =>
      run(verifyAccountForkProof({ ...proof, ...altered })).kind;
    expect(refused({ other: one.signed })).toBe("refused");
    expect(refused({ other: create(SignedAccountEntrySchema, { ...one.signed }) })).toBe("refused");
    expect(refused({ trunk: [] })).toBe("refused");
    expect(refused({ accountId: new ChainPerson("another").accountId })).toBe("refused");
    const signature = other.signed.signature.slice().reverse();
    const unsigned = create(SignedAccountEntrySchema, { ...other.signed, signature });
    expect(refused({ other: unsigned })).toBe("refused");
  });

  test("of the root is two eras of one number, and never two of different numbers", () => {
    const { person, phone, tablet, base } = forked("root proof");
    const one = person.nextEra(base.state, [phone]);
    const other = person.nextEra(base.state, [tablet]);
    const later = person.nextEra(one.state, [phone]);
    const tree = treeOf(person, one, other, later);
    const nodes = [one, other, later].map(({ entry }) =>
      [...tree.entries.nodes.values()].find(({ signed }) => signed === entry),
    );
    const [a, b, c] = nodes;
    if (a === undefined || b === undefined || c === undefined) throw new Error("not in the tree");
    expect(run(verifyAccountForkProof(accountForkProof(tree, a, b))).kind).toBe("proven");
    expect(run(verifyAccountForkProof(accountForkProof(tree, a, c))).kind).toBe("refused");
  });
});
