import { toHex } from "@parley/protocol";
import type { MessageStatus, ShownHole, ShownMessage } from "./api.ts";
import { contactState, findContact } from "./contacts.ts";
import { hasCounter, removeCounters } from "./conversation/counter-set.ts";
import { decodePoint } from "./conversation/entry-ref.ts";
import { type HistoryPage, readHistory, readUnread } from "./conversation/history.ts";
import { type EntryPoint, messageKey, under } from "./conversation/keys.ts";
import type { Ledger } from "./conversation/ledger.ts";
import { ownerOf } from "./conversation/placing.ts";
import type { Viewer } from "./conversation/shown.ts";
import { allHoles, countMissing } from "./holes/hole-row.ts";
import type { Outbox } from "./outbox/outbox.ts";
import { allUnsent } from "./outbox/unsent.ts";
import { onLedger, type Parts } from "./parts.ts";
import { putDue } from "./receipts/due.ts";
import type { Receipts } from "./receipts/receipts.ts";
import { statusOf } from "./receipts/watermark.ts";

export interface MessagesParts {
  readonly receipts: Receipts;
  readonly outbox: Outbox;
}

/** What is on the screen: read from the store, never kept here. */
export class Messages {
  readonly #parts: Parts;
  readonly #receipts: Receipts;
  readonly #outbox: Outbox;
  readonly #viewer: () => Viewer;

  constructor(parts: Parts, { receipts, outbox }: MessagesParts, viewer: () => Viewer) {
    this.#parts = parts;
    this.#receipts = receipts;
    this.#outbox = outbox;
    this.#viewer = viewer;
  }

  async history(conversation: string, page: HistoryPage): Promise<readonly ShownMessage[]> {
    return await onLedger(this.#parts, (ledger) =>
      readHistory(ledger, this.#viewer(), conversation, page),
    );
  }

  async unread(): Promise<readonly ShownMessage[]> {
    return await onLedger(this.#parts, (ledger) => readUnread(ledger, this.#viewer()));
  }

  async holes(conversation: string): Promise<readonly ShownHole[]> {
    return await onLedger(this.#parts, async (ledger) => {
      let count = await countMissing(ledger, conversation);
      for (const { record } of await allHoles(ledger.tx, conversation))
        count += record.undecryptable;
      return count === 0 ? [] : [{ conversation, from: conversation, count }];
    });
  }

  async status(messageId: string): Promise<MessageStatus | undefined> {
    return await onLedger(this.#parts, async (ledger) => {
      const row = await ledger.tx.get("messages", messageKey(messageId, this.#viewer().accountId));
      const point = row && decodePoint(row);
      const chain = point && (await ledger.chain(point.conversation, point.chain));
      if (point !== undefined && chain !== undefined) return statusOf(chain, point.counter);
      if (this.#outbox.isTyped(messageId)) return "queued";
      const found = (await allUnsent(ledger.tx)).find(
        ({ entry }) => toHex(entry.messageId) === messageId,
      );
      return found && (found.entry.failure === "" ? "queued" : "failed");
    });
  }

  async markRead(messageIds: readonly string[]): Promise<void> {
    const due = await onLedger(this.#parts, async (ledger) => {
      const accounts = new Set<string>();
      for (const messageId of messageIds)
        for (const point of await pointsOf(ledger, messageId))
          if (await markReadAt(ledger, point)) accounts.add(point.conversation);
      return accounts;
    });
    for (const account of due) this.#receipts.note(account);
  }

  /** Whose message of the conversation has that id. */
  async authorOf(
    ledger: Ledger,
    conversation: string,
    messageId: string,
  ): Promise<string | undefined> {
    for (const point of await pointsOf(ledger, messageId)) {
      const chain = await ledger.chain(point.conversation, point.chain);
      if (point.conversation === conversation && chain !== undefined)
        return ownerOf(chain).accountId;
    }
    const typed = (await allUnsent(ledger.tx)).some(
      ({ entry }) => toHex(entry.messageId) === messageId,
    );
    return typed ? this.#viewer().accountId : undefined;
  }
}

async function pointsOf({ tx }: Ledger, messageId: string): Promise<EntryPoint[]> {
  const rows = await tx.range("messages", under(`${messageId}/`));
  return rows.map(({ value }) => decodePoint(value));
}

/** True where a receipt is due for it. */
async function markReadAt(ledger: Ledger, point: EntryPoint): Promise<boolean> {
  const chain = await ledger.chain(point.conversation, point.chain);
  if (chain === undefined || !hasCounter(chain.unread, point.counter)) return false;
  chain.unread = [...removeCounters(chain.unread, point.counter, point.counter)];
  ledger.changed(chain);
  const contact = await findContact(ledger.tx, point.conversation);
  if (contact === undefined || contactState(contact) !== "accepted") return false;
  putDue(ledger.tx, point.conversation, point.chain);
  return true;
}
