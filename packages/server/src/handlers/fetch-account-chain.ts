import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  type FetchAccountChainRequest,
  type FetchAccountChainResponseSchema,
  ProtocolError,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** From a place on, or, for a newcomer, from the newest entry that the root signed. */
export async function fetchAccountChain(
  { accounts, limits }: Pick<Context, "accounts" | "limits">,
  asker: DeviceAddress,
  { accountId: id, fromEra, fromVersion }: FetchAccountChainRequest,
): Promise<MessageInitShape<typeof FetchAccountChainResponseSchema>> {
  await limits.spend("chainFetchesPerMinute", asker.accountId);
  const accountId = toHex(id);
  const isKnown = (await accounts.find(accountId)) !== undefined;
  if (!isKnown) throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  const from = fromEra === undefined ? undefined : { era: fromEra, version: fromVersion ?? 1 };
  const entries = await accounts.entries(accountId, from);
  return { entries: entries.map(({ body, signature }) => ({ body, signature })) };
}
