import { beforeEach, expect, test } from "vitest";
import type { AccountStore } from "../../src/ports/account-store.ts";
import type { InvitationStore } from "../../src/ports/invitation-store.ts";
import { randomBytes } from "../fixtures/keys.ts";
import type { ManualClock } from "../fixtures/manual-clock.ts";
import { accountOf, entryAt } from "./account-store.contract.ts";

export interface InvitationStores {
  readonly invitations: InvitationStore;
  readonly accounts: AccountStore;
  readonly clock: ManualClock;
}

/** What every InvitationStore promises, with the AccountStore that spends what it holds. */
export function invitationStoreContract(open: () => Promise<InvitationStores>): void {
  let stores: InvitationStores;
  beforeEach(async () => {
    stores = await open();
  });
  const signUp = (name: string, invitation: Uint8Array) =>
    stores.accounts.create(accountOf(name), [entryAt(1, 1)], invitation);
  const made = async (uses: number, lifetimeMs?: number) => {
    const expiresAtMs = lifetimeMs === undefined ? undefined : stores.clock.now() + lifetimeMs;
    const hash = randomBytes(32);
    return { hash, id: await stores.invitations.create({ hash, uses, expiresAtMs }) };
  };

  test("lets as many in as an invitation has uses, and nobody more", async () => {
    const { hash, id } = await made(2);
    expect(await signUp("alice", hash)).toBe("created");
    expect(await stores.invitations.all()).toMatchObject([{ id, uses: 2, usesLeft: 1 }]);
    expect(await signUp("bob", hash)).toBe("created");
    expect(await stores.invitations.all()).toEqual([]);
    expect(await signUp("carol", hash)).toBe("invitation-refused");
    expect(await stores.accounts.find(accountOf("carol").accountId)).toBeUndefined();
  });

  test("lets one of many in who come at once", async () => {
    const { hash } = await made(1);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, i) => signUp(`person${i}`, hash)),
    );
    expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
  });

  test("spends nothing on an account that is there, or that cannot have its handle", async () => {
    const { hash } = await made(1);
    await stores.accounts.create(accountOf("alice"), [entryAt(1, 1)]);
    expect(await signUp("alice", hash)).toBe("exists");
    const thief = accountOf("thief", "alice");
    expect(await stores.accounts.create(thief, [entryAt(1, 1)], hash)).toBe("handle-taken");
    expect(await stores.invitations.all()).toHaveLength(1);
  });

  test("knows no code that it did not make", async () => {
    await made(1);
    expect(await signUp("alice", randomBytes(32))).toBe("invitation-refused");
  });

  test("lets nobody in with one that is out of date", async () => {
    const { hash, id } = await made(1, 1_000);
    const { id: lasting } = await made(1);
    await stores.clock.pass(999);
    expect((await stores.invitations.all()).map((each) => each.id)).toEqual([id, lasting]);
    await stores.clock.pass(1);
    expect((await stores.invitations.all()).map((each) => each.id)).toEqual([lasting]);
    expect(await signUp("alice", hash)).toBe("invitation-refused");
    expect(await stores.invitations.revoke(id)).toBe(false);
  });

  test("revokes one, and never uses its id again", async () => {
    const first = await made(5);
    const second = await made(5);
    expect(await stores.invitations.revoke(second.id)).toBe(true);
    expect(await stores.invitations.revoke(second.id)).toBe(false);
    expect(await signUp("alice", second.hash)).toBe("invitation-refused");
    const third = await made(5);
    expect(third.id).toBeGreaterThan(second.id);
    expect((await stores.invitations.all()).map(({ id }) => id)).toEqual([first.id, third.id]);
  });
}
