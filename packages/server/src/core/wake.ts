import type { DeviceAddress } from "../ports/device-address.ts";
import type { Log } from "../ports/log.ts";
import type { PushSender } from "../ports/push-sender.ts";
import type { Wakeup, WakeupBus } from "../ports/wakeup-bus.ts";

export interface WakeParts {
  readonly bus: WakeupBus;
  readonly push: PushSender;
  readonly log: Log;
}

/** Mail waits: wakes the live connection of each device, and pushes where there is none. */
export function wakeForMail(parts: WakeParts, devices: readonly DeviceAddress[]): void {
  for (const device of devices)
    settle(parts, async () => {
      const taken = await parts.bus.wake(device, { kind: "mail" });
      if (!taken) await parts.push.push(device);
    });
}

/** For what concerns connected devices only. */
export function wake(
  parts: Pick<WakeParts, "bus" | "log">,
  devices: readonly DeviceAddress[],
  wakeup: Wakeup,
): void {
  for (const device of devices)
    settle(parts, async () => {
      await parts.bus.wake(device, wakeup);
    });
}

/** Nobody waits for a wake-up, and none may fail a request that is durable already. */
function settle({ log }: Pick<WakeParts, "log">, run: () => Promise<void>): void {
  run().catch((cause: unknown) => {
    log.warn({ err: cause }, "wake-up-lost");
  });
}
