import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  equalBytes,
  ProtocolError,
  parseHandle,
  type SignUpRequest,
  type SignUpResponseSchema,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { type CheckedEntry, checkChain } from "../core/account-chain.ts";
import { checkLogin, equalSecrets, type Visitor } from "../core/login.ts";
import { signUpReceipt } from "../core/sign-up-receipt.ts";
import { requireVersion } from "../core/version.ts";
import type { Account } from "../ports/account-store.ts";

type Parts = Pick<Context, "accounts" | "rateLimiter" | "settings" | "clock" | "receiptKey">;
type Response = MessageInitShape<typeof SignUpResponseSchema>;

/** Makes an account, or answers again for one that was made from the same first entry. */
export async function signUp(
  context: Parts,
  visitor: Visitor,
  request: SignUpRequest,
): Promise<Response> {
  requireVersion(request.version);
  // Before login nothing names who asks: all sign-ups share one budget.
  await context.rateLimiter.spend("sign-up", "all");
  const handle = parseHandle(request.handle);
  if (handle === undefined) throw handleNotAvailable();

  // Before anything is verified: a closed server spends nothing on strangers.
  if (context.settings.signUp === "closed" && request.receipt.length === 0) throw closed();
  const entries = checkChain(request.entries, context.clock.now());
  const { login } = request;
  const newest = (entries.at(-1) as CheckedEntry).state;
  if (login === undefined || !equalBytes(login.accountId, newest.accountId))
    throw new ProtocolError(ErrorCode.LOGIN_REFUSED, "a login of another account");
  checkLogin(visitor, login, newest.devices);

  const accountId = toHex(newest.accountId);
  const existing = await context.accounts.find(accountId);
  if (existing !== undefined) return answerAgain(context, existing, { handle, entries });

  const receipt = signUpReceipt(context.receiptKey, accountId, handle);
  const returns = equalSecrets(receipt, request.receipt);
  if (!returns && context.settings.signUp === "closed") throw closed();
  return create(context, { ...newest, accountId, handle }, { entries, receipt, returns });
}

interface SigningUp {
  readonly entries: readonly CheckedEntry[];
  readonly receipt: Uint8Array;
  /** It shows that it had this handle here before. */
  readonly returns: boolean;
}

async function create(
  context: Parts,
  account: Account,
  { entries, receipt, returns }: SigningUp,
): Promise<Response> {
  const stored = entries.map(({ entry }) => entry);
  const { handle } = account;
  switch (await context.accounts.create(account, stored)) {
    case "created":
      return { receipt, handle: handle ?? "" };
    case "handle-taken":
      // Given away while the server did not know the account, which returns without one.
      if (!returns || handle === undefined) throw handleNotAvailable();
      return create(context, { ...account, handle: undefined }, { entries, receipt, returns });
    case "exists": {
      const existing = await context.accounts.find(account.accountId);
      if (existing === undefined) throw new Error("an account that exists is not found");
      return answerAgain(context, existing, { handle: handle ?? "", entries });
    }
  }
}

async function answerAgain(
  context: Parts,
  existing: Account,
  { handle, entries }: { readonly handle: string; readonly entries: readonly CheckedEntry[] },
): Promise<Response> {
  const [first] = await context.accounts.entries(existing.accountId, { era: 1, version: 1 });
  if (first === undefined || !equalBytes(first.body, entries[0]?.entry.body ?? new Uint8Array()))
    throw new ProtocolError(ErrorCode.SIGN_UP_REFUSED, "the account began with another entry");
  if (existing.handle !== undefined && existing.handle !== handle) throw handleNotAvailable();
  return {
    receipt: signUpReceipt(context.receiptKey, existing.accountId, handle),
    handle: existing.handle ?? "",
  };
}

function closed(): ProtocolError {
  return new ProtocolError(ErrorCode.SIGN_UP_REFUSED, "sign-up is closed");
}

function handleNotAvailable(): ProtocolError {
  return new ProtocolError(ErrorCode.HANDLE_NOT_AVAILABLE, "this handle cannot be had");
}
