import { type ChainStart, toHex } from "@parley/protocol";
import { InvalidEntryError, openEntry } from "../conversation/entry.ts";
import { type EntryHeads, takeEntry } from "../conversation/take-entry.ts";
import type { Device } from "../device.ts";
import type { Emit } from "../events.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { InboxBatch } from "./batch.ts";

export interface Taking {
  readonly directory: Device["directory"];
  readonly identity: Device["identity"];
  readonly own: DeviceAddress;
  readonly outbox: Outbox;
  readonly emit: Emit;
  /** This device was given all that it waited for, and may write. After the commit. */
  handedOver(): void;
  /** Other keys of the account are held now. After the commit. */
  keysHeld(accountId: string): void;
}

export interface Received {
  readonly from: DeviceAddress;
  readonly author: DeviceAddress;
  readonly entry: Parameters<typeof openEntry>[0];
  readonly chain: ChainStart | undefined;
  readonly heads: EntryHeads;
}

/** An entry, as it was sent or as it was answered. */
export async function takeReceived(
  { own }: Pick<Taking, "own">,
  batch: InboxBatch,
  { from, author, entry, chain, heads }: Received,
): Promise<void> {
  try {
    const opened = openEntry(entry);
    const mine = author.accountId === own.accountId;
    const conversation = conversationOf(from, own, chain);
    const contact = await batch.contact(conversation);
    const taken = await takeEntry(batch.ledger, {
      conversation,
      author,
      opened,
      start: chain?.start ?? 1,
      heads,
      mine,
      blocked: contact.blocked && !mine,
      nowMs: batch.nowMs,
    });
    if (taken.kind === "forked") batch.alarm("chain-forked", author.accountId);
    else {
      if (!mine) await batch.receiptDue(author.accountId, taken.point.chain);
      if (taken.kind === "new" && taken.shown) batch.show(taken.point);
    }
  } catch (cause) {
    // A broken client or a liar: there is nothing to show, and nothing that could be asked for.
    if (!(cause instanceof InvalidEntryError)) throw cause;
  }
}

/** A private chat is named by the other account; to own devices the wrapper names it. */
function conversationOf(
  from: DeviceAddress,
  own: DeviceAddress,
  chain: ChainStart | undefined,
): string {
  if (from.accountId !== own.accountId) return from.accountId;
  const named = chain?.conversation?.with;
  if (named?.case !== "accountId") throw new InvalidEntryError("no conversation");
  return toHex(named.value);
}
