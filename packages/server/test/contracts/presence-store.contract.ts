import { expect, test } from "vitest";
import {
  NO_PRESENCE,
  type Presence,
  type PresenceSharing,
  type PresenceStore,
} from "../../src/ports/presence-store.ts";
import { deviceOf } from "../fixtures/rows.ts";

const phone = deviceOf("alice", 1);
const laptop = deviceOf("alice", 2);
const ALICE = phone.accountId;
const SHARED = { tokenHash: "a token's hash", sharesLastSeen: true };

const THERE = { ...SHARED, isActive: true };
const AWAY = { ...SHARED, isActive: false };
const MINUTE_MS = 60_000;

/** What every PresenceStore promises. */
export function presenceStoreContract(open: () => Promise<PresenceStore>): void {
  const watch = async (store: PresenceStore) => {
    const heard: Presence[] = [];
    const listener = { changed: (presence: Presence) => heard.push(presence) };
    await store.subscribe(ALICE, listener);
    return { heard, stop: () => store.unsubscribe(ALICE, listener) };
  };

  test("tells at once how it stands, and then each change", async () => {
    const store = await open();
    const { heard } = await watch(store);
    expect(heard).toEqual([NO_PRESENCE]);
    await store.tell(phone, 1n, AWAY, 0);
    await store.tell(phone, 1n, THERE, 0);
    await store.leave(phone, 1n, MINUTE_MS);
    expect(heard.slice(1)).toEqual([
      { ...SHARED, isOnline: false, lastSeenMs: 0 },
      { ...SHARED, isOnline: true, lastSeenMs: 0 },
      { ...SHARED, isOnline: false, lastSeenMs: MINUTE_MS },
    ]);
    expect((await watch(store)).heard).toEqual([heard.at(-1)]);
  });

  test("an account is online while somebody is at any of its devices", async () => {
    const store = await open();
    await store.tell(phone, 1n, THERE, 0);
    await store.tell(laptop, 2n, THERE, 0);
    await store.leave(phone, 1n, MINUTE_MS);
    const { heard } = await watch(store);
    expect(heard.at(-1)?.isOnline).toBe(true);
    await store.tell(laptop, 2n, AWAY, 2 * MINUTE_MS);
    expect(heard.at(-1)).toMatchObject({ isOnline: false, lastSeenMs: 2 * MINUTE_MS });
    await store.tell(phone, 3n, AWAY, 3 * MINUTE_MS);
    expect(heard.at(-1)?.lastSeenMs).toBe(2 * MINUTE_MS);
  });

  test("an older connection of a device does not take it away from a newer one", async () => {
    const store = await open();
    const { heard } = await watch(store);
    await store.tell(phone, 1n, THERE, 0);
    await store.tell(phone, 2n, THERE, 0);
    await store.leave(phone, 1n, MINUTE_MS);
    await store.tell(phone, 1n, AWAY, MINUTE_MS);
    expect(heard.at(-1)?.isOnline).toBe(true);
    await store.leave(phone, 2n, MINUTE_MS);
    expect(heard.at(-1)?.isOnline).toBe(false);
  });

  test("what it lets others see changes together with who is there", async () => {
    const store = await open();
    await store.tell(phone, 1n, THERE, 0);
    const { heard } = await watch(store);
    const hidden = { tokenHash: undefined, sharesLastSeen: false };
    await store.tell(phone, 1n, { ...hidden, isActive: false }, MINUTE_MS);
    await store.tell(phone, 1n, THERE, MINUTE_MS);
    expect(heard.slice(1)).toEqual([
      { ...hidden, isOnline: false, lastSeenMs: 0 },
      { ...SHARED, isOnline: true, lastSeenMs: 0 },
    ]);
  });

  test("keeps when somebody was last there only where that is shared", async () => {
    const store = await open();
    const { heard } = await watch(store);
    const unshared: PresenceSharing[] = [
      { ...SHARED, sharesLastSeen: false },
      { tokenHash: undefined, sharesLastSeen: true },
    ];
    for (const sharing of unshared) {
      await store.tell(phone, 1n, { ...sharing, isActive: true }, 0);
      await store.leave(phone, 1n, MINUTE_MS);
      expect(heard.at(-1)).toMatchObject({ isOnline: false, lastSeenMs: 0 });
    }
    await store.tell(phone, 1n, AWAY, 2 * MINUTE_MS);
    expect(heard.at(-1)?.lastSeenMs).toBe(0);
  });

  test("a subscription ends by itself, and no other with it", async () => {
    const store = await open();
    const [one, other, third] = [await watch(store), await watch(store), await watch(store)];
    one.stop();
    await store.tell(phone, 1n, THERE, 0);
    other.stop();
    third.stop();
    third.stop();
    await store.tell(phone, 1n, AWAY, 0);
    const again = await watch(store);
    expect([one, other, third, again].map(({ heard }) => heard.length)).toEqual([1, 2, 2, 1]);
  });
}
