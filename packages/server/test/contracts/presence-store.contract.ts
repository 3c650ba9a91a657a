import { expect, test } from "vitest";
import type { Presence, PresenceStore } from "../../src/ports/presence-store.ts";
import { NO_PRESENCE } from "../../src/ports/presence-store.ts";
import { deviceOf } from "../fixtures/rows.ts";

const phone = deviceOf("alice", 1);
const laptop = deviceOf("alice", 2);
const ALICE = phone.accountId;
const SHARED = { tokenHash: "a token's hash", sharesLastSeen: true };

/** What every PresenceStore promises. */
export function presenceStoreContract(open: () => Promise<PresenceStore>): void {
  const watch = async (store: PresenceStore) => {
    const heard: Presence[] = [];
    const stop = await store.subscribe(ALICE, (presence) => heard.push(presence));
    return { heard, stop };
  };

  test("tells at once how it stands, and then each change", async () => {
    const store = await open();
    const { heard } = await watch(store);
    expect(heard).toEqual([NO_PRESENCE]);
    await store.share(ALICE, SHARED);
    await store.arrive(phone, 1n);
    await store.leave(phone, 1n, 60_000);
    expect(heard.slice(1)).toEqual([
      { ...SHARED, isOnline: false, lastSeenMs: 0 },
      { ...SHARED, isOnline: true, lastSeenMs: 0 },
      { ...SHARED, isOnline: false, lastSeenMs: 60_000 },
    ]);
    expect((await watch(store)).heard).toEqual([heard.at(-1)]);
  });

  test("an account is online while somebody is at any of its devices", async () => {
    const store = await open();
    await store.share(ALICE, SHARED);
    await store.arrive(phone, 1n);
    await store.arrive(laptop, 2n);
    await store.leave(phone, 1n, 60_000);
    const { heard } = await watch(store);
    expect(heard.at(-1)?.isOnline).toBe(true);
    await store.leave(laptop, 2n, 120_000);
    expect(heard.at(-1)).toMatchObject({ isOnline: false, lastSeenMs: 120_000 });
  });

  test("an older connection of a device does not take it away from a newer one", async () => {
    const store = await open();
    const { heard } = await watch(store);
    await store.arrive(phone, 1n);
    await store.arrive(phone, 2n);
    await store.leave(phone, 1n, 60_000);
    expect(heard.at(-1)?.isOnline).toBe(true);
    await store.arrive(phone, 1n);
    await store.leave(phone, 2n, 60_000);
    expect(heard.at(-1)?.isOnline).toBe(false);
  });

  test("keeps when somebody was last there only where that is shared", async () => {
    const store = await open();
    const { heard } = await watch(store);
    for (const sharing of [
      { ...SHARED, sharesLastSeen: false },
      { tokenHash: undefined, sharesLastSeen: true },
    ]) {
      await store.share(ALICE, sharing);
      await store.arrive(phone, 1n);
      await store.leave(phone, 1n, 60_000);
      expect(heard.at(-1)).toMatchObject({ isOnline: false, lastSeenMs: 0 });
    }
    await store.share(ALICE, SHARED);
    expect(heard.at(-1)?.lastSeenMs).toBe(0);
  });

  test("a subscription ends by itself, and no other with it", async () => {
    const store = await open();
    const [one, other] = [await watch(store), await watch(store)];
    one.stop();
    await store.share(ALICE, SHARED);
    expect([one.heard.length, other.heard.length]).toEqual([1, 2]);
  });
}
