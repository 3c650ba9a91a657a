import { describe, expect, test } from "vitest";
import {
  deriveInviteKeys,
  type GroupState,
  groupChangeProblem,
  openGroupDetail,
  type SignedGroupStep,
  sealGroupDetail,
  signJoinRequest,
  unwrapFromInvite,
  verifyJoinRequest,
  wrapForInvite,
} from "../../src/index.ts";
import { ChainPerson } from "../fixtures/chain-person.ts";
import {
  about,
  adding,
  change,
  closing,
  devicesOf,
  founded,
  growBy,
  grownBy,
  joining,
  leaving,
  listSeen,
  opening,
  phoneOf,
} from "../fixtures/group-chain.ts";
import { run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

const random = seededRandom("group links");
const everybody = ["ada", "ben", "cleo", "dan"].map((name) => new ChainPerson(`links ${name}`));
const [ada, ben, cleo, dan] = everybody as [ChainPerson, ChainPerson, ChainPerson, ChainPerson];
const [adas, bens, cleos, dans] = [phoneOf(ada), phoneOf(ben), phoneOf(cleo), phoneOf(dan)];

/** Ada owns it, Ben is an admin, Cleo a member. */
const first = founded(adas);
const grown = change(adas, first.state, adding([listSeen(ben), listSeen(cleo)]));
const base = change(adas, grown.state, about("promote", ben));
const trunk = [first, grown, base];

const rolesOf = ({ members }: GroupState) => members.map(({ role }) => role);

/** Why verifiers refuse an entry; "valid" where they take it. */
function verdictOn({ entry }: SignedGroupStep, on: readonly SignedGroupStep[]): string {
  const devicesAt = devicesOf(everybody);
  const before = on.map((one) => one.entry);
  const { tree } = grownBy(first.state.groupId, before, devicesAt);
  return growBy(tree, [entry], devicesAt).refused[0]?.reason ?? "valid";
}

describe("a link", () => {
  const invite = run(deriveInviteKeys(random(16)));
  const open = change(bens, base.state, opening(invite, { maxUses: 1 }));
  const join = change(dans, open.state, joining(invite), { invite });
  const on = [...trunk, open];

  test("lets in who has it, with every admin asleep", () => {
    expect(verdictOn(join, on)).toBe("valid");
    expect(rolesOf(join.state)).toEqual(["owner", "admin", "member", "member"]);
  });

  test("lets in nobody without its key, not even with the server's help", () => {
    const without = change(dans, open.state, joining(invite));
    expect(verdictOn(without, on)).toBe("wrong-signature");
    const other = run(deriveInviteKeys(random(16)));
    const forged = change(dans, open.state, joining(invite), { invite: other });
    expect(verdictOn(forged, on)).toBe("wrong-signature");
  });

  test("ends with its uses, and when it is closed", () => {
    const eve = new ChainPerson("eve");
    const joined = { change: joining(invite), invite };
    expect(groupChangeProblem(phoneOf(eve), join.state, joined)).toBe("invite-used-up");
    const closed = change(bens, open.state, closing(invite));
    expect(groupChangeProblem(dans, closed.state, joined)).toBe("no-such-invite");
    expect(groupChangeProblem(cleos, open.state, { change: closing(invite) })).toBe("role-forbids");
  });

  test("does not bring back who was removed, until an admin adds him", () => {
    const free = run(deriveInviteKeys(random(16)));
    const opened = change(bens, base.state, opening(free));
    const removed = change(bens, opened.state, about("remove", cleo));
    const joined = { change: joining(free), invite: free };
    expect(groupChangeProblem(cleos, removed.state, joined)).toBe("no-return-by-link");
    const added = change(bens, removed.state, adding([listSeen(cleo)]));
    const left = change(cleos, added.state, leaving);
    expect(groupChangeProblem(cleos, left.state, joined)).toBeUndefined();
  });

  test("with approval takes requests, which an admin grants", () => {
    const asked = run(deriveInviteKeys(random(16)));
    const opened = change(bens, base.state, opening(asked, { approval: true, maxUses: 1 }));
    const joined = { change: joining(asked), invite: asked };
    expect(groupChangeProblem(dans, opened.state, joined)).toBe("invite-needs-approval");
    const request = run(signJoinRequest(dans, opened.state.groupId, asked));
    const verify = (made: Partial<typeof request>, persons = everybody) =>
      run(
        verifyJoinRequest(
          opened.state,
          { $typeName: "parley.content.v1.JoinRequest", ...request, ...made },
          devicesOf(persons),
        ),
      ).kind;
    expect(verify({})).toBe("genuine");
    expect(verify({}, [ada])).toBe("waits");
    expect(verify({ inviteSignature: request.deviceSignature })).toBe("refused");
    expect(verify({ deviceSignature: request.inviteSignature })).toBe("refused");
    const granted = change(bens, opened.state, adding([listSeen(dan)], asked.id));
    expect(granted.state.invites[0]?.uses).toBe(1);
    const eve = adding([listSeen(new ChainPerson("eve"))], asked.id);
    expect(groupChangeProblem(bens, granted.state, { change: eve })).toBe("invite-used-up");
  });

  test("opens what lies beside it, and no other does", () => {
    const contents = random(200);
    const nonce = random(12);
    const wrapped = wrapForInvite(invite, contents, nonce);
    expect(unwrapFromInvite(invite, wrapped, nonce)).toEqual(contents);
    const other = { ...invite, id: random(16) };
    expect(() => unwrapFromInvite(other, wrapped, nonce)).toThrow();
  });
});

test("a group's details open under its key, for this group and this place only", () => {
  const key = { groupKey: random(32), groupId: first.state.groupId, detail: "name" } as const;
  const sealed = sealGroupDetail(key, new TextEncoder().encode("Choir"), random(12));
  expect(new TextDecoder().decode(openGroupDetail(key, sealed))).toBe("Choir");
  for (const wrong of [
    { ...key, groupKey: random(32) },
    { ...key, groupId: random(32) },
    { ...key, detail: "description" } as const,
  ])
    expect(openGroupDetail(wrong, sealed)).toBeUndefined();
  expect(openGroupDetail(key, sealed.subarray(0, 5))).toBeUndefined();
});
