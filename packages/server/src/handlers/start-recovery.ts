import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type StartRecoveryRequest,
  type StartRecoveryResponseSchema,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { accountIdOf } from "../core/account-chain.ts";
import { checkRecovery, type Visitor } from "../core/login.ts";
import { signUpReceipt } from "../core/sign-up-receipt.ts";
import { requireVersion } from "../core/version.ts";

type Parts = Pick<Context, "accounts" | "limits" | "receiptKey">;

/** To the holder of a recovery code: the chain that the root's next entry goes on from. */
export async function startRecovery(
  { accounts, limits, receiptKey }: Parts,
  visitor: Visitor,
  request: StartRecoveryRequest,
): Promise<MessageInitShape<typeof StartRecoveryResponseSchema>> {
  requireVersion(request.version);
  if (visitor.addressKey !== undefined)
    await limits.spend("signUpsPerAddressPerHour", visitor.addressKey);
  checkRecovery(visitor, request);
  const accountId = toHex(accountIdOf(request.rootKey));
  const account = await accounts.find(accountId);
  if (account === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  const handle = account.handle ?? "";
  const entries = await accounts.entries(accountId);
  return {
    entries: entries.map(({ body, signature }) => ({ body, signature })),
    handle,
    receipt: signUpReceipt(receiptKey, accountId, handle),
  };
}
