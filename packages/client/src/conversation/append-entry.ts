import { create } from "@bufbuild/protobuf";
import { fromHex, toHex } from "@parley/protocol";
import {
  type ChainRecord,
  type ConversationRecord,
  StoredEntrySchema,
} from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { newChain, noteHeld } from "./chain.ts";
import { entryHash, type HeadInit, makeHead, SEEN_HASH_BYTES } from "./entry.ts";
import { encodePoint } from "./entry-ref.ts";
import {
  type EntryPoint,
  messageKey,
  placedRange,
  pointOfPlacedKey,
  type ScreenPoint,
} from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { loosePoints, screenPointOf } from "./loose.ts";
import { placeEntries } from "./placing.ts";

export interface OwnEntry {
  readonly conversation: string;
  readonly own: DeviceAddress;
  readonly messageId: Uint8Array;
  /** The encoded EntryBody. */
  readonly body: Uint8Array;
  /** What it answers. */
  readonly parent: EntryPoint | undefined;
  readonly nowMs: number;
  /** 8 random bytes, for a chain that begins here. */
  readonly newChainId: () => Uint8Array;
}

export interface AppendedEntry {
  readonly point: EntryPoint;
  readonly head: Uint8Array;
}

/**
 * Makes the next entry of this device's chain: counter, hash of the one before, `seen` and Lamport as of now
 * (delivery.md 2). It stands below nothing that is here.
 */
export async function appendEntry(ledger: Ledger, entry: OwnEntry): Promise<AppendedEntry> {
  const { conversation, nowMs } = entry;
  const record = await ledger.conversation(conversation);
  const { id, chain, follows } = await openChain(ledger, record, entry);
  const counter = chain.head + 1;
  const previous = await ledger.entry({ conversation, chain: id, counter: chain.head });
  const seen = await whatIsSeen(ledger, entry, id);
  const head = makeHead(
    {
      chain: fromHex(id),
      counter,
      previousHash: chain.headHash,
      lamport: 1 + Math.max(previous?.place ?? 0, seen?.lamport ?? 0),
      ...(seen && { seen }),
      ...(follows && { follows }),
    },
    entry.body,
  );
  const point = { conversation, chain: id, counter };
  noteHeld(chain, counter, entryHash(head));
  ledger.changed(chain);
  ledger.addEntry(
    point,
    create(StoredEntrySchema, { head, body: entry.body, receivedAtMs: BigInt(nowMs) }),
  );
  const key = messageKey(toHex(entry.messageId), entry.own.accountId);
  ledger.tx.put("messages", key, encodePoint(point));
  await placeEntries(ledger, [point], nowMs);
  return { point, head };
}

/** The next entry begins a new chain, which names where this one ended. */
export async function endOwnChain(
  ledger: Ledger,
  conversation: string,
  last: { readonly counter: number; readonly hash: Uint8Array },
): Promise<void> {
  const record = await ledger.conversation(conversation);
  if (record.ownChain.length === 0) return;
  const { counter, hash } = last;
  if (counter > 0)
    record.follows = {
      $typeName: "parley.store.v1.ChainPoint",
      chain: record.ownChain,
      counter,
      hash,
    };
  record.ownChain = new Uint8Array();
  ledger.changed(record);
}

/** This device was rolled back: what it remembers of its chains may be old, so it begins new ones. */
export async function endEveryOwnChain(ledger: Ledger): Promise<void> {
  for (const { key } of await ledger.tx.range("conversations", {})) {
    const record = await ledger.conversation(key);
    record.ownChain = new Uint8Array();
    delete record.follows;
    ledger.changed(record);
  }
}

interface OpenChain {
  readonly id: string;
  readonly chain: ChainRecord;
  readonly follows: HeadInit["follows"];
}

async function openChain(
  ledger: Ledger,
  record: ConversationRecord,
  { conversation, own, newChainId }: OwnEntry,
): Promise<OpenChain> {
  if (record.ownChain.length > 0) {
    const id = toHex(record.ownChain);
    const chain = await ledger.chain(conversation, id);
    if (chain !== undefined) return { id, chain, follows: undefined };
  }
  record.ownChain = newChainId();
  const { follows } = record;
  delete record.follows;
  ledger.changed(record);
  const id = toHex(record.ownChain);
  const chain = newChain(own, 1);
  ledger.addChain(conversation, id, chain);
  return {
    id,
    chain,
    follows: follows && { chain: follows.chain, counter: follows.counter, hash: follows.hash },
  };
}

/**
 * The highest entry whose place is known; where what is answered has no place yet, that one, so that the
 * answer sorts after it everywhere. Undefined where it is the chain's own previous.
 */
async function whatIsSeen(
  ledger: Ledger,
  { conversation, parent }: OwnEntry,
  ownChain: string,
): Promise<NonNullable<HeadInit["seen"]> | undefined> {
  const parentEntry = parent && (await ledger.entry(parent));
  let highest =
    parent !== undefined && parentEntry?.place === 0
      ? parent
      : await highestPlaced(ledger, conversation);
  if (highest === undefined) {
    const handed = await highestHanded(ledger, conversation);
    if (handed !== undefined) return handed;
    highest = await newestLoose(ledger, conversation);
  }
  if (highest === undefined) return undefined;
  if (highest.chain === ownChain) return undefined;
  const entry = await ledger.entry(highest);
  if (entry === undefined) return undefined;
  return {
    chain: fromHex(highest.chain),
    counter: highest.counter,
    // What the person saw when answering.
    lamport: entry.place > 0 ? entry.place : ((await screenPointOf(ledger, highest))?.place ?? 0),
    hash: entryHash(entry.head).slice(0, SEEN_HASH_BYTES),
  };
}

/** Of a device that has no past here: what hangs on entries that it never had is all that the person sees. */
async function newestLoose(ledger: Ledger, conversation: string): Promise<EntryPoint | undefined> {
  const shown = [...(await loosePoints(ledger, conversation)).values()];
  const newest = shown.reduce<ScreenPoint | undefined>(
    (best, point) => (best === undefined || point.place >= best.place ? point : best),
    undefined,
  );
  return newest && { conversation, chain: newest.chain, counter: newest.counter };
}

/** Nothing has been written since this device was linked: the newest of what was handed over to it. */
async function highestHanded(
  ledger: Ledger,
  conversation: string,
): Promise<NonNullable<HeadInit["seen"]> | undefined> {
  let highest: NonNullable<HeadInit["seen"]> | undefined;
  for (const [id, { start, placeBeforeStart, headHash }] of await ledger.chainsOf(conversation)) {
    if (placeBeforeStart <= (highest?.lamport ?? 0)) continue;
    const hash = headHash.slice(0, SEEN_HASH_BYTES);
    highest = { chain: fromHex(id), counter: start - 1, lamport: placeBeforeStart, hash };
  }
  return highest;
}

async function highestPlaced(
  ledger: Ledger,
  conversation: string,
): Promise<EntryPoint | undefined> {
  const range = { ...placedRange(conversation), reverse: true, limit: 1 };
  const [row] = await ledger.tx.range("timeline", range);
  return row && pointOfPlacedKey(row.key);
}
