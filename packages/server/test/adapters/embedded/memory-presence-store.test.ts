import { describe, expect, test } from "vitest";
import { MemoryPresenceStore } from "../../../src/adapters/embedded/memory-presence-store.ts";
import type { Presence, PresenceStore } from "../../../src/ports/presence-store.ts";
import { presenceStoreContract } from "../../contracts/presence-store.contract.ts";

describe("MemoryPresenceStore", () => {
  presenceStoreContract(async () => new MemoryPresenceStore(100));
});

const SHARED = { tokenHash: "a token's hash", sharesLastSeen: true };

async function hashOf(store: PresenceStore, accountId: string): Promise<string | undefined> {
  const heard: Presence[] = [];
  const listener = { changed: (presence: Presence) => heard.push(presence) };
  await store.subscribe(accountId, listener);
  store.unsubscribe(accountId, listener);
  return heard[0]?.tokenHash;
}

test("forgets those who left first, and nobody who is there or watched", async () => {
  const store = new MemoryPresenceStore(2);
  const tell = (accountId: string, isActive = false) =>
    store.tell({ accountId, deviceId: 1 }, 1n, { ...SHARED, isActive }, 0);
  await tell("there", true);
  await tell("watched");
  await store.subscribe("watched", { changed: () => undefined });
  for (const accountId of ["first", "second", "third", "first"]) await tell(accountId);
  const hashes = ["there", "watched", "first", "second", "third"].map((id) => hashOf(store, id));
  expect((await Promise.all(hashes)).map((hash) => hash !== undefined)).toEqual([
    ...[true, true, true, false, true],
  ]);
});
