import { create } from "@bufbuild/protobuf";
import { type AccountHead, equalBytes, toHex } from "@parley/protocol";
import {
  type ChainRecord,
  ListHeadSchema,
  type StoredEntry,
  StoredEntrySchema,
} from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { belongsTo, holds, newChain, noteHeld, noteTold } from "./chain.ts";
import { addCounters } from "./counter-set.ts";
import { entryHash, InvalidEntryError, type OpenedEntry, openHead } from "./entry.ts";
import { encodePoint } from "./entry-ref.ts";
import { type EntryPoint, messageKey } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { placeEntries } from "./placing.ts";

export interface ReceivedEntry {
  readonly conversation: string;
  /** The device that made it. */
  readonly author: DeviceAddress;
  readonly opened: OpenedEntry;
  /** The counter at which the chain began for this device. */
  readonly start: number;
  /** Of the author's and of the receiver's account, as its wrapper names them. */
  readonly heads: EntryHeads;
  readonly mine: boolean;
  /** The author's account is blocked: kept, and out of sight. */
  readonly blocked: boolean;
  readonly nowMs: number;
}

export interface EntryHeads {
  readonly sender: AccountHead | undefined;
  readonly recipient: AccountHead | undefined;
}

export type Taken =
  /** New here. `shown`: it has something to show that was not shown before. */
  | { readonly kind: "new"; readonly point: EntryPoint; readonly shown: boolean }
  /** It is here already. */
  | { readonly kind: "repeat"; readonly point: EntryPoint }
  /** An alarm: another entry at its counter, or one that does not link. It is not taken. */
  | { readonly kind: "forked" };

/** Links a received entry into its chain, and gives it its place. Throws InvalidEntryError. */
export async function takeEntry(ledger: Ledger, received: ReceivedEntry): Promise<Taken> {
  const { conversation, author, opened } = received;
  const { counter } = opened.head;
  const point = { conversation, chain: toHex(opened.head.chain), counter };
  const chain = await chainFor(ledger, point, received);
  if (holds(chain, counter)) {
    const held = await ledger.entry(point);
    const same = held !== undefined && equalBytes(entryHash(held.head), opened.hash);
    return same ? { kind: "repeat", point } : { kind: "forked" };
  }
  if (!(await linksUp(ledger, point, opened))) return { kind: "forked" };
  noteHeld(chain, counter, opened.hash);
  ledger.addChain(conversation, point.chain, chain);
  await noteFollowed(ledger, received);

  const repeated = await isShownAlready(ledger, author.accountId, opened.body.messageId);
  const shown = !repeated && !received.blocked;
  ledger.addEntry(point, recordOf(received, repeated));
  if (!repeated)
    ledger.tx.put(
      "messages",
      messageKey(toHex(opened.body.messageId), author.accountId),
      encodePoint(point),
    );
  // It came by way of the server, which has accepted it for the other side with this copy.
  if (received.mine) chain.accepted = [...addCounters(chain.accepted, counter, counter)];
  if (shown && !received.mine) chain.unread = [...addCounters(chain.unread, counter, counter)];
  await placeEntries(ledger, [point], received.nowMs);
  return { kind: "new", point, shown };
}

async function chainFor(
  ledger: Ledger,
  { conversation, chain: id }: EntryPoint,
  { author, start, opened }: ReceivedEntry,
): Promise<ChainRecord> {
  const chain = await ledger.chain(conversation, id);
  if (chain === undefined) return newChain(author, Math.min(start, opened.head.counter));
  if (!belongsTo(chain, author)) throw new InvalidEntryError("the chain is another device's");
  return chain;
}

/** The entries on both sides of it name each other (delivery.md 2). */
async function linksUp(ledger: Ledger, point: EntryPoint, opened: OpenedEntry): Promise<boolean> {
  const before = await ledger.entry({ ...point, counter: point.counter - 1 });
  if (before !== undefined && !equalBytes(entryHash(before.head), opened.head.previousHash))
    return false;
  const after = await ledger.entry({ ...point, counter: point.counter + 1 });
  return after === undefined || equalBytes(openHead(after.head).previousHash, opened.hash);
}

/** A new chain tells where the device's chain before it ended. */
async function noteFollowed(
  ledger: Ledger,
  { conversation, author, opened }: ReceivedEntry,
): Promise<void> {
  const { follows } = opened.head;
  if (follows === undefined) return;
  const before = await ledger.chain(conversation, toHex(follows.chain));
  if (before === undefined || !belongsTo(before, author)) return;
  if (noteTold(before, follows.counter)) ledger.changed(before);
}

/** Of one account, a message id is shown once (delivery.md 2). */
async function isShownAlready(
  ledger: Ledger,
  accountId: string,
  messageId: Uint8Array,
): Promise<boolean> {
  return (await ledger.tx.get("messages", messageKey(toHex(messageId), accountId))) !== undefined;
}

function recordOf(received: ReceivedEntry, repeated: boolean): StoredEntry {
  const { opened, heads, nowMs } = received;
  return create(StoredEntrySchema, {
    head: opened.headBytes,
    body: opened.bodyBytes,
    receivedAtMs: BigInt(nowMs),
    ...(repeated
      ? { hidden: { case: "repeatedId", value: true } }
      : received.blocked
        ? { hidden: { case: "blocked", value: true } }
        : {}),
    ...listHeads(heads),
  });
}

export function listHeads({ sender, recipient }: EntryHeads) {
  return {
    ...(sender && { senderHead: create(ListHeadSchema, fieldsOf(sender)) }),
    ...(recipient && { recipientHead: create(ListHeadSchema, fieldsOf(recipient)) }),
  };
}

const fieldsOf = ({ era, version, hash }: AccountHead) => ({ era, version, hash });
