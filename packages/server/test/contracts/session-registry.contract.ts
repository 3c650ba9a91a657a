import { expect, test } from "vitest";
import type { DeviceAddress } from "../../src/ports/device-address.ts";
import type { SessionNumber, SessionRegistry } from "../../src/ports/session-registry.ts";
import { deviceOf } from "../fixtures/rows.ts";

/** What every SessionRegistry promises. */
export function sessionRegistryContract(open: () => Promise<SessionRegistry>): void {
  const phone = deviceOf("alice", 1);
  const laptop = deviceOf("alice", 2);

  test("numbers claims upwards, and the newest of a device counts", async () => {
    const registry = await open();
    const first = await claim(registry, phone);
    const second = await claim(registry, phone);
    expect(second).toBeGreaterThan(first);
    expect(await registry.refresh(phone, first)).toBe(false);
    expect(await registry.refresh(phone, second)).toBe(true);
  });

  test("keeps devices apart", async () => {
    const registry = await open();
    const session = await claim(registry, phone);
    await claim(registry, laptop);
    expect(await registry.refresh(phone, session)).toBe(true);
  });

  test("claims for no more devices of an account than it may have connected", async () => {
    const registry = await open();
    const first = await claim(registry, phone);
    expect(await registry.claim(laptop, 1)).toBeUndefined();
    expect(await registry.refresh(phone, first)).toBe(true);
    const again = await registry.claim(phone, 1);
    expect(again).toBeGreaterThan(first);
    await registry.release(phone, again ?? 0n);
    expect(await registry.claim(laptop, 1)).toBeGreaterThan(first);
  });

  test("does not release the claim of a newer connection", async () => {
    const registry = await open();
    const older = await claim(registry, phone);
    const newer = await claim(registry, phone);
    await registry.release(phone, older);
    expect(await registry.refresh(phone, newer)).toBe(true);
    await registry.release(phone, newer);
    expect(await registry.refresh(phone, newer)).toBe(false);
  });
}

async function claim(registry: SessionRegistry, device: DeviceAddress): Promise<SessionNumber> {
  const number = await registry.claim(device, 8);
  if (number === undefined) throw new Error("there is room for 8 devices");
  return number;
}
