import { describe, expect, test } from "vitest";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import { bytes, clientStoreContract } from "../store/client-store.contract.ts";

describe("the store in memory", () => {
  describe("as every store", () => {
    clientStoreContract(
      async () => new MemoryClientStore(),
      async (store) => {
        await store.close();
        return (store as MemoryClientStore).reopen();
      },
    );
  });

  test("shuts its old owner out when it is opened again", async () => {
    const killed = new MemoryClientStore();
    const next = killed.reopen();
    await expect(killed.commit([])).rejects.toThrow("closed");
    await next.commit([{ table: "chains", key: "a", value: bytes(1) }]);
  });

  test("is put back to a copy of before", async () => {
    const store = new MemoryClientStore();
    await store.commit([{ table: "chains", key: "a", value: bytes(1) }]);
    const copy = store.copy();
    await store.commit([{ table: "chains", key: "a", value: bytes(2) }]);
    store.restore(copy);
    expect(await store.get("chains", "a")).toEqual(bytes(1));
  });
});
