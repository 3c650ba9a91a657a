import fc from "fast-check";
import { expect, test } from "vitest";
import { AccountCache } from "../../../src/adapters/embedded/account-cache.ts";
import { packAccount, unpackAccount } from "../../../src/adapters/embedded/packed-account.ts";
import type { Account } from "../../../src/ports/account-store.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

const accounts: fc.Arbitrary<Account> = fc.record({
  accountId: fc.uuid(),
  rootKey: bytes(32),
  handle: fc.option(fc.string({ maxLength: 64 }), { nil: undefined }),
  head: fc.record({ era: uint32, version: uint32, hash: bytes(32) }),
  devices: fc.array(
    fc.record({
      deviceId: fc.integer({ min: 1, max: 127 }),
      identityKey: bytes(32),
      registrationId: uint32,
      consent: bytes(64),
      sealedName: fc.uint8Array({ maxLength: 400 }),
      addedAtMs: fc.integer({ min: 0 }),
    }),
    { maxLength: 8 },
  ),
});

test("unpacks what it packed", () => {
  fc.assert(
    fc.property(accounts, (account) => {
      expect(unpackAccount(account.accountId, packAccount(account))).toEqual(account);
    }),
  );
});

const named = (name: string): Account => ({
  accountId: name,
  rootKey: new Uint8Array(32).fill(1),
  handle: name,
  head: { era: 1, version: 1, hash: new Uint8Array(32).fill(2) },
  devices: [],
});

test("gives every account back, also those that are packed by then, and none that was deleted", () => {
  const cache = new AccountCache();
  const names = Array.from({ length: 1_000 }, (_, i) => `account ${i}`);
  for (const name of names) cache.set(named(name));
  expect(names.map((name) => cache.get(name)?.handle)).toEqual(names);
  cache.delete("account 1");
  cache.delete("account 999");
  expect([cache.get("account 1"), cache.get("account 999")]).toEqual([undefined, undefined]);
});

test("takes what is newer", () => {
  const cache = new AccountCache();
  cache.set(named("alice"));
  cache.set({ ...named("alice"), handle: undefined });
  expect(cache.get("alice")?.handle).toBeUndefined();
});
