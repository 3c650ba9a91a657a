import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type UploadPrekeysRequest,
  type UploadPrekeysResponseSchema,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { checkPrekeys } from "../core/prekey-checks.ts";
import { addressKey, type DeviceAddress } from "../ports/device-address.ts";

/** Keeps what others need to begin a session with this device, once it is known to be sound. */
export async function uploadPrekeys(
  { accounts, prekeys, limits }: Pick<Context, "accounts" | "prekeys" | "limits">,
  address: DeviceAddress,
  request: UploadPrekeysRequest,
): Promise<MessageInitShape<typeof UploadPrekeysResponseSchema>> {
  await limits.spend("prekeyUploadsPerHour", addressKey(address));
  const { accountId, deviceId } = address;
  const account = await accounts.find(accountId);
  const device = account?.devices.find((each) => each.deviceId === deviceId);
  if (device === undefined)
    throw new ProtocolError(ErrorCode.NOT_ALLOWED, "this device was removed");
  checkPrekeys(device.identityKey, request);
  const held = await prekeys.upload(address, {
    signed: request.signedPrekey,
    lastResort: request.lastResortPrekey,
    oneTime: request.oneTimePrekeys,
    dropOneTimeBelow: request.dropOneTimeBelow,
  });
  return { held };
}
