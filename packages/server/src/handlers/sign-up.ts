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
import { invitationHash } from "../core/invitation-code.ts";
import { checkLogin, equalSecrets, type Visitor } from "../core/login.ts";
import { signUpReceipt } from "../core/sign-up-receipt.ts";
import { requireVersion } from "../core/version.ts";
import type { Account } from "../ports/account-store.ts";

type Parts = Pick<Context, "accounts" | "limits" | "settings" | "clock" | "receiptKey">;
type Response = MessageInitShape<typeof SignUpResponseSchema>;

/** Makes an account, or answers again for one that was made from the same first entry. */
export async function signUp(
  context: Parts,
  visitor: Visitor,
  request: SignUpRequest,
): Promise<Response> {
  requireVersion(request.version);
  const handle = parseHandle(request.handle);
  if (handle === undefined) throw handleNotAvailable();

  const returns = showsReceipt(context, request, handle);
  // Before anything is verified: a closed server spends nothing on strangers.
  if (!returns && context.settings.signUp === "closed") throw closed();
  // After a restore everybody returns at once, and may.
  if (!returns && visitor.addressKey !== undefined)
    await context.limits.spend("signUpsPerAddressPerHour", visitor.addressKey);
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
  const invitation = returns ? undefined : invitationFor(context, request);
  const signingUp = { entries, receipt, returns, invitation };
  return create(context, { ...newest, accountId, handle }, signingUp);
}

/** What is to be spent: nothing where everybody may sign up. */
function invitationFor({ settings }: Parts, { invitation: typed }: SignUpRequest) {
  if (settings.signUp !== "invitation") return undefined;
  if (typed === "") refuseInvitation("sign-up is by invitation here");
  return invitationHash(typed) ?? refuseInvitation("this is no code of an invitation");
}

function refuseInvitation(problem: string): never {
  throw new ProtocolError(ErrorCode.INVITATION_REFUSED, problem);
}

/** It has had this handle here before (delivery.md 5). */
function showsReceipt(
  { receiptKey }: Parts,
  { login, receipt }: SignUpRequest,
  handle: string,
): boolean {
  if (login === undefined || receipt.length === 0) return false;
  return equalSecrets(signUpReceipt(receiptKey, toHex(login.accountId), handle), receipt);
}

interface SigningUp {
  readonly entries: readonly CheckedEntry[];
  readonly receipt: Uint8Array;
  /** It shows that it had this handle here before. */
  readonly returns: boolean;
  /** The hash of its code. */
  readonly invitation: Uint8Array | undefined;
}

async function create(context: Parts, account: Account, signingUp: SigningUp): Promise<Response> {
  const { entries, receipt, returns, invitation } = signingUp;
  const stored = entries.map(({ entry }) => entry);
  const { handle } = account;
  switch (await context.accounts.create(account, stored, invitation)) {
    case "created":
      return { receipt, handle: handle ?? "" };
    case "handle-taken":
      // Given away while the server did not know the account, which returns without one.
      if (!returns || handle === undefined) throw handleNotAvailable();
      return create(context, { ...account, handle: undefined }, signingUp);
    case "invitation-refused":
      return refuseInvitation("the invitation is unknown, used up or out of date");
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
