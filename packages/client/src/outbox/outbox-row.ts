import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type EntryPoint, entryKey, hex32, under } from "../conversation/keys.ts";
import {
  type AcceptedEntry,
  AcceptedEntrySchema,
  type OutboxItem,
  OutboxItemSchema,
  type ServerMark,
} from "../gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "../store/transaction.ts";

type Reader = Pick<Transaction, "get" | "range">;

/** Sends under way, in the order in which they were made. */
const SEND = "send/";
/** Own entries that were accepted and not receipted, by conversation, chain and counter. */
const ACCEPTED = "accepted/";

export const sendKey = (sequence: number) => `${SEND}${hex32(sequence)}`;
export const sequenceOfSend = (key: string) => Number.parseInt(key.slice(SEND.length), 16);

export function newItem(fields: MessageInitShape<typeof OutboxItemSchema>): OutboxItem {
  return create(OutboxItemSchema, fields);
}

export function putItem(tx: Transaction, key: string, item: OutboxItem): void {
  tx.put("outbox", key, toBinary(OutboxItemSchema, item));
}

export async function findItem(tx: Reader, key: string): Promise<OutboxItem | undefined> {
  const row = await tx.get("outbox", key);
  return row && fromBinary(OutboxItemSchema, row);
}

export async function allItems(
  tx: Reader,
): Promise<{ readonly key: string; readonly item: OutboxItem }[]> {
  const rows = await tx.range("outbox", under(SEND));
  return rows.map(({ key, value }) => ({ key, item: fromBinary(OutboxItemSchema, value) }));
}

export function putAccepted(
  tx: Transaction,
  point: EntryPoint,
  accepted: Pick<ServerMark, "epoch" | "mark">,
  atMs: number,
): void {
  const { epoch, mark } = accepted;
  const record = create(AcceptedEntrySchema, {
    accepted: { epoch, mark },
    acceptedAtMs: BigInt(atMs),
  });
  tx.put("outbox", ACCEPTED + entryKey(point), toBinary(AcceptedEntrySchema, record));
}

export function dropAccepted(tx: Transaction, point: EntryPoint): void {
  tx.delete("outbox", ACCEPTED + entryKey(point));
}

export async function allAccepted(
  tx: Reader,
): Promise<{ readonly point: EntryPoint; readonly record: AcceptedEntry }[]> {
  const rows = await tx.range("outbox", under(ACCEPTED));
  return rows.map(({ key, value }) => {
    const [, conversation, chain, counter] = key.split("/") as [string, string, string, string];
    return {
      point: { conversation, chain, counter: Number.parseInt(counter, 16) },
      record: fromBinary(AcceptedEntrySchema, value),
    };
  });
}
