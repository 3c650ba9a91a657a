import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type GroupEntry,
  GroupEntrySchema,
  type ListSeen,
  ListSeenSchema,
  SignedGroupEntrySchema,
} from "@parley/protocol";
import { describe, expect, test } from "vitest";
import {
  accountPlace,
  ed25519Sign,
  emptyGroupTree,
  entryHash,
  GROUP_MEMBERS_MAX,
  type GroupRefusal,
  type GroupState,
  groupChangeProblem,
  groupHead,
  groupStanding,
  LABELS,
  labelled,
  type SignedGroupStep,
  type SigningMember,
  signGroupEntry,
} from "../../src/index.ts";
import { add, ChainPerson, memberWith, remove } from "../fixtures/chain-person.ts";
import {
  about,
  adding,
  change,
  devicesOf,
  founded,
  growBy,
  grownBy,
  leaving,
  listSeen,
  phoneOf,
  seeing,
  settings,
  standingOf,
  timer,
} from "../fixtures/group-chain.ts";
import { run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

const random = seededRandom("group chain");
const [ada, ben, cleo, dan] = ["ada", "ben", "cleo", "dan"].map(
  (name) => new ChainPerson(`group ${name}`),
) as [ChainPerson, ChainPerson, ChainPerson, ChainPerson];
const everybody = [ada, ben, cleo, dan];
const adas = phoneOf(ada);
const bens = phoneOf(ben);
const cleos = phoneOf(cleo);
const dans = phoneOf(dan);

/** Ada owns it, Ben is an admin, Cleo a member. */
const first = founded(adas);
const grown = change(adas, first.state, adding([listSeen(ben), listSeen(cleo)]));
const base = change(adas, grown.state, about("promote", ben));
const trunk = [first, grown, base];

const rolesOf = ({ members }: GroupState) => members.map(({ role }) => role);

/** Why verifiers refuse an entry; "valid" where they take it. */
function verdictOn(step: SignedGroupStep | SignedGroupStep["entry"], on = trunk): string {
  const entry = "entry" in step ? step.entry : step;
  const { groupId } = first.state;
  const devicesAt = devicesOf(everybody);
  const before = on.map((one) => one.entry);
  const { tree, refused } = growBy(grownBy(groupId, before, devicesAt).tree, [entry], devicesAt);
  if (tree.entries.waiting.size > 0) return "waits";
  return refused[0]?.reason ?? "valid";
}

/** An entry with something changed in its body, signed properly all the same. */
function altered(
  { entry }: SignedGroupStep,
  { keys }: SigningMember,
  alter: (body: GroupEntry) => void,
) {
  const body = fromBinary(GroupEntrySchema, entry.body);
  alter(body);
  const bytes = toBinary(GroupEntrySchema, body);
  const signature = run(ed25519Sign(keys.seed, labelled(LABELS.groupEntry, bytes)));
  return create(SignedGroupEntrySchema, { body: bytes, signature });
}

describe("a group", () => {
  test("has the hash of its first entry as its id, and its founder as owner", () => {
    expect(first.state.groupId).toEqual(entryHash(first.entry.body));
    expect(standingOf(everybody, trunk)).toEqual({ kind: "settled", state: base.state });
    expect(rolesOf(base.state)).toEqual(["owner", "admin", "member"]);
    expect(groupHead(base.state)).toMatchObject({
      version: 3,
      hash: base.state.headHash.subarray(0, 16),
    });
  });

  test("is not another's: an entry of another group is refused", () => {
    const other = founded(adas, "another");
    const inOther = change(adas, other.state, timer(5));
    const { tree, refused } = grownBy(
      first.state.groupId,
      [...trunk.map(({ entry }) => entry), other.entry],
      devicesOf(everybody),
    );
    expect(refused).toEqual([{ at: 3, reason: "other-group" }]);
    expect(groupStanding(tree).kind).toBe("settled");
    const moved = altered(inOther, adas, (body) => {
      body.version = 4;
      body.previousHash = base.state.headHash;
    });
    expect(verdictOn(moved)).toBe("other-group");
  });

  test("waits for the account chains that its changes quote, and takes them up when they come", () => {
    const entries = trunk.map(({ entry }) => entry);
    const { groupId } = first.state;
    const early = grownBy(groupId, entries, devicesOf([ada]));
    expect(groupStanding(early.tree)).toEqual({ kind: "settled", state: first.state });
    const late = growBy(early.tree, [], devicesOf(everybody));
    expect(groupStanding(late.tree)).toEqual({ kind: "settled", state: base.state });
    expect(groupStanding(emptyGroupTree(groupId)).kind).toBe("unknown");
  });

  test("has at most 256 members", () => {
    const seen = (count: number): ListSeen[] =>
      Array.from({ length: count }, () =>
        create(ListSeenSchema, {
          accountId: random(16),
          list: accountPlace(ben.firstStep.state),
        }),
      );
    const problem = (count: number) =>
      groupChangeProblem(adas, base.state, { change: adding(seen(count)) });
    expect(problem(GROUP_MEMBERS_MAX - 3)).toBeUndefined();
    expect(problem(GROUP_MEMBERS_MAX - 2)).toBe("too-many-members");
  });
});

describe("roles", () => {
  const problem = (by: SigningMember, made: Parameters<typeof change>[2], on = base.state) =>
    groupChangeProblem(by, on, { change: made }) ?? "allowed";
  const allAre = change(adas, base.state, adding([listSeen(dan)]));

  test.each([
    ["add", bens, adding([listSeen(dan)]), "allowed"],
    ["add", cleos, adding([listSeen(dan)]), "role-forbids"],
    ["add who is there", bens, adding([listSeen(cleo)]), "member-already"],
    ["remove a member", bens, about("remove", cleo), "allowed"],
    ["remove an admin", adas, about("remove", ben), "allowed"],
    ["remove the owner", bens, about("remove", ada), "role-forbids"],
    ["remove as a member", cleos, about("remove", ben), "role-forbids"],
    ["remove oneself", bens, about("remove", ben), "wrong-target"],
    ["remove who is not there", bens, about("remove", dan), "wrong-target"],
    ["promote", bens, about("promote", cleo), "allowed"],
    ["promote oneself", cleos, about("promote", cleo), "role-forbids"],
    ["promote an admin", adas, about("promote", ben), "wrong-target"],
    ["demote as owner", adas, about("demote", ben), "allowed"],
    ["demote oneself", bens, about("demote", ben), "allowed"],
    ["demote as a member", cleos, about("demote", ben), "role-forbids"],
    ["demote the owner", adas, about("demote", ada), "wrong-target"],
    ["transfer", adas, about("transfer", cleo), "allowed"],
    ["transfer as an admin", bens, about("transfer", cleo), "role-forbids"],
    ["transfer to oneself", adas, about("transfer", ada), "wrong-target"],
    ["set the timer", bens, timer(60), "allowed"],
    ["set the timer as a member", cleos, timer(60), "role-forbids"],
    ["settings as a member", cleos, settings({}), "role-forbids"],
    ["anything as a stranger", dans, timer(60), "not-a-member"],
    ["see no lists", cleos, seeing, "changes-nothing"],
  ] as const)("%s", (_, by, made, expected) => {
    expect(problem(by, made)).toBe(expected);
    if (expected === "allowed") expect(verdictOn(change(by, base.state, made))).toBe("valid");
    else expect(() => change(by, base.state, made)).toThrow(expected);
  });

  test("members add and edit where the settings say so", () => {
    const open = change(bens, base.state, settings({ membersMayAdd: true, membersMayEdit: true }));
    expect(problem(cleos, adding([listSeen(dan)]), open.state)).toBe("allowed");
    expect(problem(cleos, timer(9), open.state)).toBe("allowed");
    expect(problem(cleos, settings({}), open.state)).toBe("role-forbids");
  });

  test("after a transfer there is one owner, and the one before is an admin", () => {
    const given = change(adas, base.state, about("transfer", cleo));
    expect(rolesOf(given.state)).toEqual(["admin", "admin", "owner"]);
  });

  test("after the owner comes the admin who joined first, else the member who did", () => {
    const withAdmins = change(bens, allAre.state, about("promote", dan));
    const withoutAda = change(adas, withAdmins.state, leaving);
    expect(rolesOf(withoutAda.state)).toEqual(["owner", "member", "admin"]);
    const withoutBen = change(bens, withoutAda.state, leaving);
    expect(rolesOf(withoutBen.state)).toEqual(["member", "owner"]);
    const withoutDan = change(dans, withoutBen.state, leaving);
    expect(rolesOf(withoutDan.state)).toEqual(["owner"]);
    const nobody = change(cleos, withoutDan.state, leaving);
    expect(nobody.state.members).toEqual([]);
    const all = [...trunk, allAre, withAdmins, withoutAda, withoutBen, withoutDan, nobody];
    expect(standingOf(everybody, all)).toEqual({ kind: "settled", state: nobody.state });
  });
});

describe("a change is refused", () => {
  const good = change(bens, base.state, timer(30));
  const but = (alter: (body: GroupEntry) => void, by = bens) => verdictOn(altered(good, by, alter));

  test("unless it is unchanged (the control)", () => {
    expect(but(() => undefined)).toBe("valid");
  });

  test("at another place, behind another entry, or with another state", () => {
    expect(but((body) => (body.version = 5))).toBe("wrong-place");
    expect(but((body) => (body.version = 3))).toBe("wrong-place");
    expect(but((body) => (body.previousHash = new Uint8Array(32)))).toBe("waits");
    expect(but((body) => (body.stateHash = new Uint8Array(32)))).toBe("wrong-state-hash");
  });

  test("under a signature of somebody else, or with one of an invite", () => {
    expect(verdictOn(altered(good, adas, () => undefined))).toBe("wrong-signature");
    const inviteSignature = new Uint8Array(64);
    expect(verdictOn(create(SignedGroupEntrySchema, { ...good.entry, inviteSignature }))).toBe(
      "wrong-signature",
    );
  });

  test("by a device that is not listed at the quoted place", () => {
    const stranger = { ...bens, keys: cleo.first.keys };
    expect(verdictOn(change(stranger, base.state, timer(30)))).toBe("signer-not-listed");
  });

  test("that is none", () => {
    const none = create(SignedGroupEntrySchema, { body: random(40), signature: random(64) });
    expect(verdictOn(none)).toBe("malformed");
  });
});

describe("a removed device", () => {
  const person = new ChainPerson("two devices");
  const laptop = person.device(2);
  const listed = person.sign(person.first, person.firstStep.state, [add(laptop)]);
  const delisted = person.sign(person.first, listed.state, [remove(laptop)]);
  const old = memberWith(person, laptop, listed.state);
  const now = memberWith(person, person.first, delisted.state);
  const added = change(adas, first.state, adding([listSeen(person, listed.state)]));
  const admin = change(adas, added.state, about("promote", person));
  const persons = [...everybody, person];
  const start = [first, added, admin];

  test("signs until the chain quotes the newer list, and no longer; what it signed stays", () => {
    const before = change(old, admin.state, timer(1));
    const quoting = change(adas, before.state, seeing, {
      listsSeen: [listSeen(person, delisted.state)],
    });
    const steps = [...start, before, quoting];
    expect(standingOf(persons, steps)).toEqual({ kind: "settled", state: quoting.state });
    expect(groupChangeProblem(old, quoting.state, { change: timer(2) })).toBe("list-below");
    const itself = memberWith(person, laptop, delisted.state);
    const forged = change(itself, quoting.state, timer(2));
    const { tree, refused } = grownBy(
      first.state.groupId,
      [...steps, forged].map(({ entry }) => entry),
      devicesOf(persons),
    );
    expect(refused.map(({ reason }) => reason)).toEqual<GroupRefusal[]>(["signer-not-listed"]);
    expect(groupStanding(tree)).toEqual({ kind: "settled", state: quoting.state });
  });

  test("is shut out by a change of its own account's other device too", () => {
    const by = change(now, admin.state, timer(1));
    expect(groupChangeProblem(old, by.state, { change: timer(2) })).toBe("list-below");
  });

  test("does not come back by a list below, when its account is added again", () => {
    const quoting = change(now, admin.state, timer(1));
    const out = change(adas, quoting.state, about("remove", person));
    const again = { change: adding([listSeen(person, listed.state)]) };
    expect(groupChangeProblem(adas, out.state, again)).toBe("list-below");
    const newest = { change: adding([listSeen(person, delisted.state)]) };
    expect(groupChangeProblem(adas, out.state, newest)).toBeUndefined();
  });

  test("settles no old fork by a late word, though its account owns the group", () => {
    const given = change(adas, admin.state, about("transfer", person));
    const [one, two] = [timer(1), timer(2)].map((made) => change(adas, given.state, made)) as [
      SignedGroupStep,
      SignedGroupStep,
    ];
    const branches = [...start, given, one, two];
    expect(standingOf(persons, branches).kind).toBe("forked");
    const quoting = change(now, one.state, timer(3));
    const late = change(old, two.state, seeing, { stands: two.state.headHash });
    expect(standingOf(persons, [...branches, quoting, late]).kind).toBe("forked");
    const word = change(now, quoting.state, seeing, { stands: one.state.headHash });
    const settled = standingOf(persons, [...branches, quoting, late, word]);
    expect(settled).toEqual({ kind: "settled", state: word.state });
  });
});

describe("a list seen", () => {
  test("is only a member's, never below, and never another at the same place", () => {
    const fork = new ChainPerson("forked lists");
    const base1 = fork.firstStep.state;
    const one = fork.sign(fork.first, base1, [add(fork.device(2))]);
    const other = fork.sign(fork.first, base1, [add(fork.device(3))]);
    const added = change(adas, base.state, adding([listSeen(fork, one.state)]));
    const problem = (seen: ListSeen) =>
      groupChangeProblem(bens, added.state, { change: seeing, listsSeen: [seen] });
    expect(problem(listSeen(fork, one.state))).toBeUndefined();
    expect(problem(listSeen(fork, base1))).toBe("list-below");
    expect(problem(listSeen(fork, other.state))).toBe("list-below");
    expect(problem(listSeen(dan))).toBe("wrong-target");
  });

  test("that nobody signed lets the entry wait: else it would shut an account out", () => {
    const list = { ...accountPlace(ben.firstStep.state), version: 9 };
    const nobodys = create(ListSeenSchema, { accountId: ben.accountId, list });
    expect(verdictOn(change(adas, base.state, seeing, { listsSeen: [nobodys] }))).toBe("waits");
  });
});

test("nobody signs on an old state what the new one forbids: the intention is weighed again", () => {
  const intention = { change: about("promote", cleo) };
  expect(groupChangeProblem(bens, base.state, intention)).toBeUndefined();
  const removed = change(adas, base.state, about("remove", cleo));
  expect(groupChangeProblem(bens, removed.state, intention)).toBe("wrong-target");
  expect(() => run(signGroupEntry(bens, removed.state, intention))).toThrow("wrong-target");
});
