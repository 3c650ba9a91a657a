import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { hex32, under } from "../conversation/keys.ts";
import { type UnsentEntry, UnsentEntrySchema } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "../store/transaction.ts";

/**
 * What was typed and is not accepted yet, in the order of typing. It lies in the vault: from the moment that
 * `sendText` resolves it is not lost, even where the main store is.
 */
const PREFIX = "typed/";

export const unsentKey = (sequence: number) => `${PREFIX}${hex32(sequence)}`;
export const sequenceOfUnsent = (key: string) => Number.parseInt(key.slice(PREFIX.length), 16);

export async function findUnsent(tx: Transaction, key: string): Promise<UnsentEntry | undefined> {
  const row = await tx.get("vault-unsent", key);
  return row && fromBinary(UnsentEntrySchema, row);
}

export function putUnsent(tx: Transaction, key: string, entry: UnsentEntry): void {
  tx.put("vault-unsent", key, toBinary(UnsentEntrySchema, entry));
}

export function newUnsent(
  fields: Pick<UnsentEntry, "conversation" | "messageId" | "body">,
): UnsentEntry {
  return create(UnsentEntrySchema, fields);
}

export async function allUnsent(
  tx: Pick<Transaction, "range">,
): Promise<{ readonly key: string; readonly entry: UnsentEntry }[]> {
  const rows = await tx.range("vault-unsent", under(PREFIX));
  return rows.map(({ key, value }) => ({ key, entry: fromBinary(UnsentEntrySchema, value) }));
}
