import type { Context } from "../context.ts";
import { addressKey, type DeviceAddress } from "../ports/device-address.ts";

/** The device has asked its own devices and its contacts for what it missed. */
export async function clearSkipped(
  { mailboxes, limits }: Pick<Context, "mailboxes" | "limits">,
  device: DeviceAddress,
): Promise<Record<string, never>> {
  await limits.spend("skipClearsPerHour", addressKey(device));
  await mailboxes.clearSkipped(device);
  return {};
}
