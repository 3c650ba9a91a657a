import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  fromHex,
  type LookUpHandleRequest,
  type LookUpHandleResponseSchema,
  ProtocolError,
  parseHandle,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** Exact match only: there is no way to search for people. */
export async function lookUpHandle(
  { accounts, limits }: Pick<Context, "accounts" | "limits">,
  asker: DeviceAddress,
  request: LookUpHandleRequest,
): Promise<MessageInitShape<typeof LookUpHandleResponseSchema>> {
  await limits.spend("handleLookUpsPerMinute", asker.accountId);
  const handle = parseHandle(request.handle);
  const accountId = handle === undefined ? undefined : await accounts.idOfHandle(handle);
  if (accountId === undefined)
    throw new ProtocolError(ErrorCode.NOT_FOUND, "nobody has this handle");
  return { accountId: fromHex(accountId) };
}
