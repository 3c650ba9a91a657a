import { chainKey, under } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ownerOf } from "../conversation/placing.ts";
import type { Transaction } from "../store/transaction.ts";

/** A row for each chain of which its account is to hear how far it is delivered and read. */
const DUE = "due/";
const EMPTY = new Uint8Array(1);

export function putDue(tx: Transaction, conversation: string, chain: string): void {
  tx.put("receipts", DUE + chainKey(conversation, chain), EMPTY);
}

/** Every chain of the account, or of one of its devices. */
export async function putAllDue(
  ledger: Ledger,
  accountId: string,
  deviceId?: number,
): Promise<void> {
  for (const [chain, record] of await ledger.chainsOf(accountId)) {
    const owner = ownerOf(record);
    if (owner.accountId !== accountId || (deviceId ?? owner.deviceId) !== owner.deviceId) continue;
    putDue(ledger.tx, accountId, chain);
  }
}

/** Chains of one account's conversation. */
export async function takeDue(
  tx: Transaction,
  accountId: string,
  limit: number,
): Promise<string[]> {
  const rows = await tx.range("receipts", { ...under(`${DUE}${accountId}/`), limit });
  for (const { key } of rows) tx.delete("receipts", key);
  return rows.map(({ key }) => key.slice(DUE.length + accountId.length + 1));
}

export async function dueAccounts(tx: Transaction): Promise<Set<string>> {
  const rows = await tx.range("receipts", under(DUE));
  return new Set(rows.map(({ key }) => key.slice(DUE.length).split("/")[0] as string));
}
