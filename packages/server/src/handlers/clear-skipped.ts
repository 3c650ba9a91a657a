import type { Context } from "../context.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** The device has asked its own devices and its contacts for what it missed. */
export async function clearSkipped(
  { mailboxes }: Pick<Context, "mailboxes">,
  device: DeviceAddress,
): Promise<Record<string, never>> {
  await mailboxes.clearSkipped(device);
  return {};
}
