import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import type { Change } from "../../src/ports/client-store.ts";
import { StoreFailedError, type Transaction, Transactor } from "../../src/store/transactor.ts";
import { bytes, change, range, rangeOf } from "./client-store.contract.ts";

/** A memory store that counts its commits and can be held up in one. */
class WatchedStore extends MemoryClientStore {
  readonly commits: (readonly Change[])[] = [];
  held: Promise<void> = Promise.resolve();

  override async commit(changes: readonly Change[]): Promise<void> {
    this.commits.push(changes);
    await this.held;
    await super.commit(changes);
  }
}

let store: WatchedStore;
let transactor: Transactor;
let fatal: unknown[];
beforeEach(() => {
  store = new WatchedStore();
  fatal = [];
  transactor = new Transactor(store, (cause) => fatal.push(cause));
});

const put = (key: string, value = 1) =>
  transactor.transact(async (tx) => tx.put("chains", key, bytes(value)));
const apply = (tx: Transaction, { table, key, value }: Change) =>
  value === undefined ? tx.delete(table, key) : tx.put(table, key, value);

describe("a transaction", () => {
  test("sees the store through its own changes, at every range", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(change),
        fc.array(change),
        range,
        async (committed, staged, asked) => {
          const own = new MemoryClientStore();
          const writer = new Transactor(own, () => {});
          const model = new Map<string, Uint8Array>();
          for (const { key, value } of [...committed, ...staged])
            if (value === undefined) model.delete(key);
            else model.set(key, value);
          await writer.transact(async (tx) => {
            for (const one of committed) apply(tx, one);
          });
          const seen = await writer.transact(async (tx) => {
            for (const one of staged) apply(tx, one);
            return await tx.range("chains", asked);
          });
          expect(seen).toEqual(rangeOf(model, asked));
          expect(await own.range("chains", asked)).toEqual(rangeOf(model, asked));
        },
      ),
    ));

  test("fills a limit although rows below it are deleted in it", async () => {
    for (const key of ["a", "b", "c", "d"]) await put(key);
    const seen = await transactor.transact(async (tx) => {
      tx.delete("chains", "a");
      tx.delete("chains", "c");
      return await tx.range("chains", { limit: 2 });
    });
    expect(seen.map(({ key }) => key)).toEqual(["b", "d"]);
  });

  test("sees what the one before it changed, though both share a commit", async () => {
    const first = put("a", 7);
    const second = transactor.transact((tx) => tx.get("chains", "a"));
    await first;
    expect(await second).toEqual(bytes(7));
    expect(store.commits).toHaveLength(1);
  });

  test("that throws leaves nothing behind and stops nobody", async () => {
    const hooks: string[] = [];
    const before = put("a");
    const failing = transactor.transact(async (tx) => {
      tx.put("chains", "b", bytes(1));
      tx.delete("chains", "a");
      tx.afterCommit(() => hooks.push("failing"));
      await tx.get("chains", "a");
      throw new Error("no");
    });
    const after = transactor.transact(async (tx) => tx.range("chains", {}));
    await expect(failing).rejects.toThrow("no");
    await before;
    expect((await after).map(({ key }) => key)).toEqual(["a"]);
    expect(hooks).toEqual([]);
    expect(fatal).toEqual([]);
  });

  test("that changes nothing costs no commit", async () => {
    await transactor.transact((tx) => tx.get("chains", "a"));
    expect(store.commits).toEqual([]);
  });
});

describe("group commit", () => {
  test("gathers what queues up during a commit into the next one", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.held = promise;
    const first = put("a");
    await new Promise(setImmediate);
    const others = Array.from({ length: 20 }, (_, i) => put(`b${i}`));
    store.held = Promise.resolve();
    resolve();
    await Promise.all([first, ...others]);
    expect(store.commits.map((changes) => changes.length)).toEqual([1, 20]);
  });

  test("takes at most 256 pieces of work into one", async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(`${i}`)));
    expect(store.commits.map((changes) => changes.length)).toEqual([256, 44]);
  });

  test("takes about a MiB into one", async () => {
    const large = async (tx: Transaction, key: string) =>
      tx.put("chains", key, new Uint8Array(600_000));
    await Promise.all(["a", "b", "c"].map((key) => transactor.transact((tx) => large(tx, key))));
    expect(store.commits.map((changes) => changes.length)).toEqual([2, 1]);
  });

  test("runs hooks once it is durable, in order, before the callers go on", async () => {
    const seen: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    store.held = promise;
    const work = (name: string) =>
      transactor
        .transact(async (tx) => {
          tx.put("chains", name, bytes(1));
          tx.afterCommit(() => seen.push(`hook ${name}`));
        })
        .then(() => seen.push(`done ${name}`));
    const all = [work("a"), work("b")];
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
    resolve();
    await Promise.all(all);
    expect(seen).toEqual(["hook a", "hook b", "done a", "done b"]);
  });
});

describe.each(["before", "after"] as const)("a commit that fails %s it is stored", (when) => {
  test("stops the writer, once, and rejects whoever waits", async () => {
    store.failNext(when);
    const hooks: string[] = [];
    const first = transactor.transact(async (tx) => {
      tx.put("chains", "a", bytes(1));
      tx.afterCommit(() => hooks.push("ran"));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    store.held = promise;
    await new Promise(setImmediate);
    const second = put("b");
    resolve();
    await expect(first).rejects.toThrow(StoreFailedError);
    await expect(second).rejects.toThrow(StoreFailedError);
    await expect(put("c")).rejects.toThrow(StoreFailedError);
    await transactor.settled();
    expect(hooks).toEqual([]);
    expect(fatal).toHaveLength(1);
    const rows = await store.reopen().range("chains", {});
    expect(rows.map(({ key }) => key)).toEqual(when === "before" ? [] : ["a"]);
  });
});
