import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AppendAccountEntryRequest,
  type AppendAccountEntryResponseSchema,
  ErrorCode,
  equalBytes,
  fromHex,
  ProtocolError,
  type SignedAccountEntry,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import {
  accountOfEntry,
  type CheckedEntry,
  checkEntry,
  hashOfEntry,
  SupersededEntryError,
} from "../core/account-chain.ts";
import { wireHead } from "../core/device-list.ts";
import type { DeviceSession } from "../core/device-session.ts";
import type { Visitor } from "../core/login.ts";
import { wake } from "../core/wake.ts";
import type { Account, AccountStore, ChainHead, StoredEntry } from "../ports/account-store.ts";
import { addressKey } from "../ports/device-address.ts";

/** Until a device is this old it removes none that is older: a thief who links one gains no power by it. */
const REMOVES_OLDER_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

type Parts = Pick<Context, "accounts" | "limits" | "clock" | "bus" | "log">;
type Response = MessageInitShape<typeof AppendAccountEntryResponseSchema>;

/** Compare-and-swap: takes the entry where it follows the head that is here. */
export async function appendAccountEntry(
  context: Parts,
  session: DeviceSession,
  request: AppendAccountEntryRequest,
): Promise<Response> {
  await context.limits.spend("accountEntriesPerHour", addressKey(session.address));
  const signed = request.entry as SignedAccountEntry; // The schema requires it.
  return await append(context, session.accountId, {
    signed,
    byRoot: false,
    // Before anybody is woken: it is not told what it did itself.
    stood: (head) => session.knowsHead(head),
  });
}

/** Before login: an entry of the root, which is who holds the recovery code. */
export async function appendRootEntry(
  context: Parts,
  visitor: Visitor,
  request: AppendAccountEntryRequest,
): Promise<Response> {
  if (visitor.addressKey !== undefined)
    await context.limits.spend("signUpsPerAddressPerHour", visitor.addressKey);
  const signed = request.entry as SignedAccountEntry; // The schema requires it.
  const accountId = toHex(accountOfEntry(signed.body));
  return await append(context, accountId, { signed, byRoot: true, stood: () => undefined });
}

interface Appending {
  readonly signed: SignedAccountEntry;
  /** Of the root alone. */
  readonly byRoot: boolean;
  readonly stood: (head: ChainHead) => void;
}

async function append(
  context: Parts,
  accountId: string,
  { signed, byRoot, stood }: Appending,
): Promise<Response> {
  const account = await context.accounts.find(accountId);
  if (account === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  const known = await presentEra(context.accounts, accountId);
  const last = known.at(-1);
  if (last !== undefined && equalBytes(last.body, signed.body)) return accepted(); // A repeat.
  const now = context.clock.now();
  const checked = checkAfter(account, known, { signed, now });
  if (checked === undefined) return superseded(account);
  if (byRoot && checked.signerDeviceId !== undefined)
    throw new ProtocolError(ErrorCode.OUT_OF_TURN, "log in first");
  requirePolicy(account, checked, now);

  const { entry, state } = checked;
  const step = { accountId, after: account.head.hash, entry, head: state.head };
  if ((await context.accounts.append({ ...step, devices: state.devices })) === "superseded")
    return superseded((await context.accounts.find(accountId)) ?? account);
  stood(state.head);
  const ids = new Set([...account.devices, ...state.devices].map(({ deviceId }) => deviceId));
  const devices = [...ids].map((deviceId) => ({ accountId, deviceId }));
  wake(context, devices, { kind: "account" });
  return accepted();
}

/** All that stands since the root's newest entry, page by page. */
async function presentEra(accounts: AccountStore, accountId: string): Promise<StoredEntry[]> {
  const known = [...(await accounts.entries(accountId))];
  for (let last = known.at(-1); last !== undefined; ) {
    const { era, version } = last;
    const more = await accounts.entries(accountId, { era, version: version + 1 });
    known.push(...more);
    last = more.at(-1);
  }
  return known;
}

function checkAfter(
  account: Account,
  known: readonly StoredEntry[],
  { signed, now }: { readonly signed: SignedAccountEntry; readonly now: number },
): CheckedEntry | undefined {
  const { rootKey, head, devices } = account;
  const places = known.map(({ era, version, body }) => ({ era, version, hash: hashOfEntry(body) }));
  const state = { accountId: fromHex(account.accountId), rootKey, head, devices };
  try {
    return checkEntry({ state, places }, signed, now);
  } catch (cause) {
    if (cause instanceof SupersededEntryError) return undefined;
    throw cause;
  }
}

function requirePolicy(account: Account, { state, signerDeviceId }: CheckedEntry, now: number) {
  const signer = account.devices.find(({ deviceId }) => deviceId === signerDeviceId);
  if (signer === undefined || now - signer.addedAtMs >= REMOVES_OLDER_AFTER_MS) return;
  for (const device of account.devices) {
    const stays = state.devices.some((each) => equalBytes(each.identityKey, device.identityKey));
    if (!stays && device.addedAtMs < signer.addedAtMs)
      throw new ProtocolError(
        ErrorCode.INVALID_ACCOUNT_ENTRY,
        "a device younger than 7 days removes none that is older",
      );
  }
}

function accepted(): Response {
  return { outcome: { case: "accepted", value: {} } };
}

function superseded({ head }: Account): Response {
  return { outcome: { case: "superseded", value: { head: wireHead(head) } } };
}
