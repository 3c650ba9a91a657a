import type { Kept } from "@parley/crypto";
import type { SendMessageRequest } from "@parley/protocol";
import { toHex } from "@parley/protocol";
import { appendEntry } from "../conversation/append-entry.ts";
import { openBody } from "../conversation/entry.ts";
import { decodePoint, refOf } from "../conversation/entry-ref.ts";
import { type EntryPoint, messageKey } from "../conversation/keys.ts";
import { Ledger } from "../conversation/ledger.ts";
import type { OutboxItem, UnsentEntry } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "../store/transaction.ts";
import { newItem, putItem } from "./outbox-row.ts";
import { type Sealing, sealItem } from "./seal-item.ts";
import { findUnsent, putUnsent } from "./unsent.ts";

/** Typed, saved, and no entry yet. */
export interface Typed {
  readonly key: string;
  readonly messageId: string;
  readonly conversation: string;
}

export interface Made {
  readonly key: string;
  readonly item: OutboxItem;
  readonly request: Kept<SendMessageRequest>;
}

const CHAIN_ID_BYTES = 8;

/**
 * What was typed becomes entries of this device's chains: counters, places, ratchets and ciphertexts in one
 * transaction, in the order of typing (delivery.md 2). Throws NoSessionError: nothing is made.
 */
export async function makeEntries(
  making: Sealing & { nextKey(): string },
  tx: Transaction,
  batch: readonly Typed[],
): Promise<Made[]> {
  const ledger = new Ledger(tx);
  const made: Made[] = [];
  for (const { key: unsentKey, conversation } of batch) {
    const unsent = await findUnsent(tx, unsentKey);
    if (unsent === undefined) continue;
    const { point, head } = await appendEntry(ledger, {
      conversation,
      own: making.own,
      messageId: unsent.messageId,
      body: unsent.body,
      parent: await parentOf(ledger, unsent),
      nowMs: making.nowMs,
      newChainId: () => making.random(CHAIN_ID_BYTES),
    });
    const item = newItem({
      recipientAccount: unsent.conversation,
      content: { case: "entry", value: refOf(point) },
      unsentKey,
    });
    const request = await sealItem(making, ledger, item);
    const key = making.nextKey();
    putItem(tx, key, item);
    putUnsent(tx, unsentKey, { ...unsent, head });
    made.push({ key, item, request });
  }
  ledger.flush();
  return made;
}

async function parentOf(ledger: Ledger, { body }: UnsentEntry): Promise<EntryPoint | undefined> {
  const { kind } = openBody(body);
  if (kind.case !== "text" || kind.value.replyTo === undefined) return undefined;
  const { messageId, accountId } = kind.value.replyTo;
  const row = await ledger.tx.get("messages", messageKey(toHex(messageId), toHex(accountId)));
  return row && decodePoint(row);
}
