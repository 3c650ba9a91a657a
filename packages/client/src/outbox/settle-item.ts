import { type Accepted, toHex } from "@parley/protocol";
import { endOwnChain } from "../conversation/append-entry.ts";
import { acceptedHead } from "../conversation/chain.ts";
import { addCounters, hasCounter } from "../conversation/counter-set.ts";
import { entryHash, openBody } from "../conversation/entry.ts";
import { messageKey, placedKey } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ownerOf } from "../conversation/placing.ts";
import { type Emit, emitAfter } from "../events.ts";
import type { OutboxItem } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "../store/transaction.ts";
import { putAccepted } from "./outbox-row.ts";
import { pointOf } from "./seal-item.ts";
import { findUnsent, putUnsent } from "./unsent.ts";

export interface Settling {
  readonly emit: Emit;
  readonly nowMs: number;
}

/** The server has it durably: it leaves the queue, and waits for its receipt (delivery.md 5). */
export async function settleAccepted(
  { emit, nowMs }: Settling,
  ledger: Ledger,
  { key, item, accepted }: { key: string; item: OutboxItem; accepted: Accepted },
): Promise<void> {
  const { tx } = ledger;
  tx.delete("outbox", key);
  if (item.unsentKey !== "") tx.delete("vault-unsent", item.unsentKey);
  if (item.content.case === "signal") return noteReceiptAccepted(ledger, item, accepted);
  const point = pointOf(item);
  const chain = await ledger.chain(point.conversation, point.chain);
  const entry = await ledger.entry(point);
  if (chain === undefined || entry === undefined) return;
  const isNews = !hasCounter(chain.accepted, point.counter);
  chain.accepted = [...addCounters(chain.accepted, point.counter, point.counter)];
  ledger.changed(chain);
  if (!hasCounter(chain.delivered, point.counter)) putAccepted(tx, point, accepted, nowMs);
  if (isNews)
    emitAfter(tx, emit, {
      type: "status",
      messageId: toHex(openBody(entry.body).messageId),
      conversation: point.conversation,
      status: "sent",
    });
}

/** Where an epoch loses it, the receipt is due again. */
async function noteReceiptAccepted(
  ledger: Ledger,
  { recipientAccount, receiptChains }: OutboxItem,
  { epoch, mark }: Accepted,
): Promise<void> {
  for (const id of receiptChains) {
    const chain = await ledger.chain(toHex(recipientAccount), toHex(id));
    if (chain === undefined) continue;
    chain.receiptAccepted = { $typeName: "parley.store.v1.ServerMark", epoch, mark };
    ledger.changed(chain);
  }
}

/**
 * Definitely refused. A signal is dropped. An entry becomes what was typed again, marked as failed; nobody
 * else has it, so nothing of it stays in the order, and its chain ends before it (delivery.md 2).
 */
export async function settleRefused(
  { emit }: Settling,
  ledger: Ledger,
  { key, item, failure }: { key: string; item: OutboxItem; failure: string },
): Promise<void> {
  const { tx } = ledger;
  tx.delete("outbox", key);
  if (item.content.case !== "entry" || item.reoffered) return;
  const point = pointOf(item);
  const entry = await ledger.entry(point);
  const chain = await ledger.chain(point.conversation, point.chain);
  const unsent = await findUnsent(tx, item.unsentKey);
  if (entry === undefined || chain === undefined || unsent === undefined) return;
  const { accountId, deviceId } = ownerOf(chain);
  const messageId = toHex(unsent.messageId);
  ledger.removeEntry(point);
  tx.delete("timeline", placedKey({ ...point, accountId, deviceId, place: entry.place }));
  tx.delete("messages", messageKey(messageId, accountId));
  putUnsent(tx, item.unsentKey, { ...unsent, head: new Uint8Array(), failure });
  const last = acceptedHead(chain);
  const lastEntry = await ledger.entry({ ...point, counter: last });
  if ((await isOpen(ledger, point.conversation, point.chain)) === true)
    await endOwnChain(ledger, point.conversation, {
      counter: lastEntry === undefined ? 0 : last,
      hash: lastEntry === undefined ? new Uint8Array() : entryHash(lastEntry.head),
    });
  const { conversation } = point;
  emitAfter(tx, emit, { type: "status", messageId, conversation, status: "failed" });
}

async function isOpen(ledger: Ledger, conversation: string, chain: string): Promise<boolean> {
  return toHex((await ledger.conversation(conversation)).ownChain) === chain;
}

/** The same for what is no entry yet and was typed before that time. False: it stays. */
export async function refuseTyped(
  tx: Transaction,
  key: string,
  { failure, emit, before }: { failure: string; emit: Emit; before: number },
): Promise<boolean> {
  const unsent = await findUnsent(tx, key);
  if (unsent === undefined || Number(openBody(unsent.body).sentAtMs) > before) return false;
  putUnsent(tx, key, { ...unsent, failure });
  const messageId = toHex(unsent.messageId);
  const conversation = toHex(unsent.conversation);
  emitAfter(tx, emit, { type: "status", messageId, conversation, status: "failed" });
  return true;
}
