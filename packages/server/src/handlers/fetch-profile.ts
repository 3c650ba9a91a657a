import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  type FetchProfileRequest,
  type FetchProfileResponseSchema,
  ProtocolError,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** Empty where none was set. */
export async function fetchProfile(
  { accounts, limits }: Pick<Context, "accounts" | "limits">,
  asker: DeviceAddress,
  request: FetchProfileRequest,
): Promise<MessageInitShape<typeof FetchProfileResponseSchema>> {
  await limits.spend("profileFetchesPerMinute", asker.accountId);
  const accountId = toHex(request.accountId);
  if ((await accounts.find(accountId)) === undefined)
    throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  return { sealedProfile: await accounts.profile(accountId) };
}
