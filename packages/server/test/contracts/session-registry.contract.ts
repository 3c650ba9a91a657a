import { expect, test } from "vitest";
import type { SessionRegistry } from "../../src/ports/session-registry.ts";
import { deviceOf } from "../fixtures/rows.ts";

/** What every SessionRegistry promises. */
export function sessionRegistryContract(open: () => Promise<SessionRegistry>): void {
  const phone = deviceOf("alice", 1);
  const laptop = deviceOf("alice", 2);

  test("numbers claims upwards, and the newest of a device counts", async () => {
    const registry = await open();
    const first = await registry.claim(phone);
    const second = await registry.claim(phone);
    expect(second).toBeGreaterThan(first);
    expect(await registry.refresh(phone, first)).toBe(false);
    expect(await registry.refresh(phone, second)).toBe(true);
  });

  test("keeps devices apart", async () => {
    const registry = await open();
    const session = await registry.claim(phone);
    await registry.claim(laptop);
    expect(await registry.refresh(phone, session)).toBe(true);
  });

  test("does not release the claim of a newer connection", async () => {
    const registry = await open();
    const older = await registry.claim(phone);
    const newer = await registry.claim(phone);
    await registry.release(phone, older);
    expect(await registry.refresh(phone, newer)).toBe(true);
    await registry.release(phone, newer);
    expect(await registry.refresh(phone, newer)).toBe(false);
  });
}
