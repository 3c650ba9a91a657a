import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type UploadPrekeysRequest,
  type UploadPrekeysResponseSchema,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { checkPrekeys } from "../core/prekey-checks.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** Keeps what others need to begin a session with this device, once it is known to be sound. */
export async function uploadPrekeys(
  { accounts, prekeys, rateLimiter }: Pick<Context, "accounts" | "prekeys" | "rateLimiter">,
  { accountId, deviceId }: DeviceAddress,
  request: UploadPrekeysRequest,
): Promise<MessageInitShape<typeof UploadPrekeysResponseSchema>> {
  await rateLimiter.spend("prekeys", accountId);
  const account = await accounts.find(accountId);
  const device = account?.devices.find((each) => each.deviceId === deviceId);
  if (device === undefined)
    throw new ProtocolError(ErrorCode.NOT_ALLOWED, "this device was removed");
  checkPrekeys(device.identityKey, request);
  const held = await prekeys.upload(
    { accountId, deviceId },
    {
      signed: request.signedPrekey,
      lastResort: request.lastResortPrekey,
      oneTime: request.oneTimePrekeys,
      dropOneTimeBelow: request.dropOneTimeBelow,
    },
  );
  return { held };
}
