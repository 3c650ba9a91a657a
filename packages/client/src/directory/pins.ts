import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { AccountState } from "@parley/crypto";
import { type AccountPin, AccountPinSchema } from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction } from "../store/transactor.ts";

const PREFIX = "pin/";
/** `~` stands above everything that ids are made of. */
const ALL = { from: PREFIX, before: `${PREFIX}~` };

export async function pinOf(tx: Transaction, accountId: string): Promise<AccountPin> {
  const row = await tx.get("vault-contacts", PREFIX + accountId);
  return row === undefined ? create(AccountPinSchema) : fromBinary(AccountPinSchema, row);
}

/** Handles are in no key: a store's keys are readable. People have few contacts. */
export async function accountPinnedTo(
  tx: Transaction,
  handle: string,
): Promise<string | undefined> {
  const rows = await tx.range("vault-contacts", ALL);
  const found = rows.find(({ value }) => fromBinary(AccountPinSchema, value).handle === handle);
  return found?.key.slice(PREFIX.length);
}

export async function pinHandle(tx: Transaction, accountId: string, handle: string): Promise<void> {
  put(tx, accountId, { ...(await pinOf(tx, accountId)), handle });
}

export async function pinHead(
  tx: Transaction,
  accountId: string,
  { rootKey, era, version, headHash }: AccountState,
): Promise<void> {
  put(tx, accountId, { ...(await pinOf(tx, accountId)), rootKey, era, version, headHash });
}

/** As another own device has it. What is known here already stays. */
export async function takePin(
  tx: Transaction,
  accountId: string,
  { handle, ...head }: Omit<AccountPin, "$typeName" | "$unknown">,
): Promise<void> {
  const known = await pinOf(tx, accountId);
  const pinned = known.era === 0 ? { ...known, ...head } : known;
  put(tx, accountId, { ...pinned, handle: known.handle === "" ? handle : known.handle });
}

function put(tx: Transaction, accountId: string, pin: AccountPin): void {
  tx.put("vault-contacts", PREFIX + accountId, toBinary(AccountPinSchema, pin));
}
