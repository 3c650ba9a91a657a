import { expect, test } from "vitest";
import type { Wakeup, WakeupBus } from "../../src/ports/wakeup-bus.ts";
import { deviceOf } from "../fixtures/rows.ts";

/** What every WakeupBus promises, on a day when it loses nothing. */
export function wakeupBusContract(open: () => Promise<WakeupBus>): void {
  const phone = deviceOf("alice", 1);

  test("wakes whoever listens for that device, and says whether somebody did", async () => {
    const bus = await open();
    const heard: Wakeup[] = [];
    expect(await bus.wake(phone, { kind: "mail" })).toBe(false);
    await bus.subscribe(phone, { hear: (wakeup) => heard.push(wakeup) });
    expect(await bus.wake(deviceOf("alice", 2), { kind: "mail" })).toBe(false);
    expect(await bus.wake(phone, { kind: "claimed", session: 7n })).toBe(true);
    expect(heard).toEqual([{ kind: "claimed", session: 7n }]);
  });

  test("keeps listeners of one device apart when one goes", async () => {
    const bus = await open();
    const heard: string[] = [];
    const older = { hear: () => heard.push("older") };
    await bus.subscribe(phone, older);
    await bus.subscribe(phone, { hear: () => heard.push("newer") });
    bus.unsubscribe(phone, older);
    expect(await bus.wake(phone, { kind: "mail" })).toBe(true);
    expect(heard).toEqual(["newer"]);
  });
}
