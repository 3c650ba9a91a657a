import { expect, test } from "vitest";
import type { EpochStore } from "../../src/ports/epoch-store.ts";

export interface EpochHarness {
  /** A start of the server, over what the starts before it left. */
  start(more?: { readonly laterByMs?: number; readonly floor?: bigint }): Promise<EpochStore>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What every EpochStore promises. */
export function epochStoreContract(open: () => EpochHarness): void {
  const ids = async (store: EpochStore, since: Uint8Array) =>
    (await store.since(since)).map(({ id }) => id);

  test("lists the epochs from the one that is named to the present one, in order", async () => {
    const harness = open();
    const first = (await harness.start()).current();
    const second = (await harness.start({ floor: 5n })).current();
    const store = await harness.start({ floor: 9n });
    const third = store.current();
    expect(await store.since(second.id)).toEqual([second, third]);
    expect(await ids(store, first.id)).toEqual([first.id, second.id, third.id]);
    expect([second.floor, third.floor]).toEqual([5n, 9n]);
  });

  test("lists every one that it has where the named one is unknown", async () => {
    const harness = open();
    const first = (await harness.start()).current();
    const store = await harness.start();
    expect(await ids(store, new Uint8Array(16))).toEqual([first.id, store.current().id]);
    expect(await ids(store, new Uint8Array())).toHaveLength(2);
  });

  test("keeps an epoch for 90 days after the next one began", async () => {
    const harness = open();
    const first = (await harness.start()).current();
    const second = (await harness.start({ laterByMs: 200 * DAY_MS })).current();
    let store = await harness.start({ laterByMs: 89 * DAY_MS });
    expect(await ids(store, first.id)).toContainEqual(first.id);
    store = await harness.start({ laterByMs: 2 * DAY_MS });
    expect(await ids(store, first.id)).not.toContainEqual(first.id);
    expect(await ids(store, second.id)).toContainEqual(second.id);
  });

  test("keeps a thousand at most", async () => {
    const harness = open();
    let store = await harness.start();
    for (let i = 0; i < 1_001; i++) store = await harness.start();
    expect(await store.since(new Uint8Array())).toHaveLength(1_000);
  });
}
