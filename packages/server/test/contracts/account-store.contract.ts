import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import type {
  Account,
  AccountStore,
  ListedDevice,
  StoredEntry,
} from "../../src/ports/account-store.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { accountNamed } from "../fixtures/rows.ts";

export function listed(deviceId: number): ListedDevice {
  return {
    deviceId,
    identityKey: randomBytes(32),
    registrationId: 100 + deviceId,
    consent: randomBytes(64),
    sealedName: randomBytes(92),
    addedAtMs: 5,
  };
}

export function entryAt(era: number, version: number, signedByRoot = version === 1): StoredEntry {
  return { era, version, signedByRoot, body: randomBytes(100), signature: randomBytes(64) };
}

export function accountOf(name: string, handle: string | undefined = name): Account {
  return {
    accountId: accountNamed(name),
    rootKey: randomBytes(32),
    handle,
    head: { era: 1, version: 1, hash: randomBytes(32) },
    devices: [listed(1)],
  };
}

/** What every AccountStore promises. */
export function accountStoreContract(open: () => Promise<AccountStore>): void {
  let store: AccountStore;
  const alice = accountOf("alice");
  beforeEach(async () => {
    store = await open();
  });
  const step = (account: Account, version: number, devices: readonly ListedDevice[]) => ({
    accountId: account.accountId,
    after: account.head.hash,
    entry: entryAt(1, version, false),
    head: { era: 1, version, hash: randomBytes(32) },
    devices,
  });

  test("finds an account by its id and by its handle, and nobody else", async () => {
    expect(await store.create(alice, [entryAt(1, 1)])).toBe("created");
    expect(await store.find(alice.accountId)).toEqual(alice);
    expect(await store.idOfHandle("alice")).toBe(alice.accountId);
    expect(await store.find(accountNamed("bob"))).toBeUndefined();
    expect(await store.idOfHandle("alic")).toBeUndefined();
    expect(await store.count()).toBe(1);
  });

  test("keeps the first account of an id", async () => {
    await store.create(alice, [entryAt(1, 1)]);
    expect(await store.create({ ...accountOf("alice"), handle: "other" }, [])).toBe("exists");
    expect(await store.find(alice.accountId)).toEqual(alice);
    expect(await store.idOfHandle("other")).toBeUndefined();
  });

  test("gives one handle to one of many who want it at once", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 8 }), async (count) => {
        store = await open();
        const wanting = Array.from({ length: count }, (_, i) => accountOf(`p${i}`, "wanted"));
        const outcomes = await Promise.all(
          wanting.map((account) => store.create(account, [entryAt(1, 1)])),
        );
        expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
        expect(await store.count()).toBe(1);
      }),
      { numRuns: 10 },
    ));

  test("keeps accounts without a handle", async () => {
    for (const name of ["x", "y"])
      expect(await store.create({ ...accountOf(name), handle: undefined }, [])).toBe("created");
    expect((await store.find(accountNamed("x")))?.handle).toBeUndefined();
  });

  test("appends only behind the head that is there", async () => {
    await store.create(alice, [entryAt(1, 1)]);
    const devices = [...alice.devices, listed(2)];
    const [first, second] = [step(alice, 2, devices), step(alice, 2, [])];
    expect(await Promise.all([store.append(first), store.append(second)])).toEqual([
      "appended",
      "superseded",
    ]);
    expect(await store.find(alice.accountId)).toEqual({ ...alice, head: first.head, devices });
  });

  test("gives a chain from the root's newest entry on, or from a place", async () => {
    const chain = [entryAt(1, 1), entryAt(1, 2), entryAt(2, 1), entryAt(2, 2), entryAt(2, 3)];
    await store.create(alice, chain);
    expect(await store.entries(alice.accountId)).toEqual(chain.slice(2));
    expect(await store.entries(alice.accountId, { era: 1, version: 2 })).toEqual(chain.slice(1));
    expect(await store.entries(alice.accountId, { era: 3, version: 1 })).toEqual([]);
  });

  test("keeps a sealed profile", async () => {
    await store.create(alice, [entryAt(1, 1)]);
    expect(await store.profile(alice.accountId)).toEqual(new Uint8Array());
    await store.setProfile(alice.accountId, Uint8Array.of(1, 2, 3));
    expect(await store.profile(alice.accountId)).toEqual(Uint8Array.of(1, 2, 3));
  });
}
