import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Change, ClientStore, KeyRange } from "../../src/ports/client-store.ts";

/** What every ClientStore promises. `open` gives an empty one, `reopen` the same rows to a new owner. */
export function clientStoreContract(
  open: () => Promise<ClientStore>,
  reopen: (store: ClientStore) => Promise<ClientStore>,
): void {
  let store: ClientStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  test("gives back what was committed, to the next owner too", async () => {
    await store.commit([{ table: "sessions", key: "a", value: bytes(1, 2, 3) }]);
    store = await reopen(store);
    expect(await store.get("sessions", "a")).toEqual(bytes(1, 2, 3));
    expect(await store.get("chains", "a")).toBeUndefined();
  });

  test("keeps its own bytes, whatever the caller does with his", async () => {
    const value = bytes(1);
    await store.commit([{ table: "sessions", key: "a", value }]);
    value[0] = 9;
    ((await store.get("sessions", "a")) as Uint8Array)[0] = 8;
    expect(await store.get("sessions", "a")).toEqual(bytes(1));
  });

  test("keeps an empty value apart from none", async () => {
    await store.commit([{ table: "sessions", key: "a", value: bytes() }]);
    expect(await store.get("sessions", "a")).toEqual(bytes());
  });

  test("answers every range as a sorted list would", () =>
    fc.assert(
      fc.asyncProperty(fc.array(change), range, async (changes, asked) => {
        const model = new Map<string, Uint8Array>();
        await store.commit([...(await store.range("chains", {}))].map(({ key }) => gone(key)));
        for (const one of changes) {
          await store.commit([one]);
          if (one.value === undefined) model.delete(one.key);
          else model.set(one.key, one.value);
        }
        expect(await store.range("chains", asked)).toEqual(rangeOf(model, asked));
      }),
      { numRuns: 50 },
    ));
}

const gone = (key: string): Change => ({ table: "chains", key });
export const bytes = (...values: number[]) => Uint8Array.from(values);

export const key = fc.stringMatching(/^[a-c/~]{0,3}$/);
export const change: fc.Arbitrary<Change> = fc
  .tuple(key, fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }))
  .map(([name, value]) =>
    value === undefined ? gone(name) : { table: "chains", key: name, value },
  );
export const range: fc.Arbitrary<KeyRange> = fc.record(
  { from: key, before: key, limit: fc.nat({ max: 5 }), reverse: fc.boolean() },
  { requiredKeys: [] },
);

export function rangeOf(
  rows: ReadonlyMap<string, Uint8Array>,
  { from, before, limit, reverse }: KeyRange,
): { key: string; value: Uint8Array }[] {
  const sorted = [...rows]
    .filter(
      ([name]) => (from === undefined || name >= from) && (before === undefined || name < before),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ key: name, value }));
  return (reverse === true ? sorted.reverse() : sorted).slice(0, limit);
}
