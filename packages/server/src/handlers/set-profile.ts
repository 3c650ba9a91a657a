import { ErrorCode, ProtocolError, type SetProfileRequest } from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** Keeps the sealed profile for whoever asks; its key travels in content only. */
export async function setProfile(
  { accounts, limits }: Pick<Context, "accounts" | "limits">,
  { accountId, deviceId }: DeviceAddress,
  { sealedProfile }: SetProfileRequest,
): Promise<Record<string, never>> {
  await limits.spend("profileChangesPerHour", accountId);
  const account = await accounts.find(accountId);
  if (!account?.devices.some((device) => device.deviceId === deviceId))
    throw new ProtocolError(ErrorCode.NOT_ALLOWED, "this device was removed");
  await accounts.setProfile(accountId, sealedProfile);
  return {};
}
