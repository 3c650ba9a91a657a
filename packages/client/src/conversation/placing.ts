import { type EntryHead, equalBytes, toHex } from "@parley/protocol";
import type { ChainRecord, StoredEntry } from "../gen/parley/store/v1/conversation_pb.ts";
import { heldAbove, heldBelow } from "./chain.ts";
import { hasCounter } from "./counter-set.ts";
import { entryHash, openHead, SEEN_HASH_BYTES } from "./entry.ts";
import {
  type EntryPoint,
  everyLoose,
  looseKey,
  placedFrom,
  placedKey,
  pointOfLooseKey,
  pointOfPlacedKey,
  waiterOfKey,
  waitersOf,
  waitKey,
} from "./keys.ts";
import type { Ledger } from "./ledger.ts";

/** Then an entry counts without what it hangs on (delivery.md 2). */
export const WAIT_FOR_PLACE_MS = 24 * 60 * 60 * 1000;

/** Values of the rows under `placed/`: whether the entry shows anything. */
export const SHOWS = Uint8Array.of(1);
export const SHOWS_NOTHING = Uint8Array.of(0);

/**
 * Gives entries of one conversation their places: 1 + the greater of the places of the chain's previous and
 * of what `seen` names (delivery.md 2). Called for each entry that comes to be here, and where a gap below
 * one is settled; it goes on to whatever hung on them. In order of arrival that is one row an entry; only
 * where an entry comes after others have counted without it are those above looked at again.
 */
export async function placeEntries(
  ledger: Ledger,
  points: readonly EntryPoint[],
  nowMs: number,
): Promise<void> {
  const queue = [...points];
  let movedFrom = Number.POSITIVE_INFINITY;
  for (const point of queue) {
    const was = await placeOne(ledger, point, nowMs);
    if (was === undefined) continue;
    if (was > 0) movedFrom = Math.min(movedFrom, was);
    queue.push(...(await hangingOn(ledger, point)));
  }
  const conversation = points[0]?.conversation;
  if (conversation === undefined) return;
  // Places only rise. In rising order most causes come before their effects; where one has overtaken its
  // effect in this very call, the effect is met again.
  while (movedFrom < Number.POSITIVE_INFINITY) {
    const above = await ledger.tx.range("timeline", placedFrom(conversation, movedFrom + 1));
    movedFrom = Number.POSITIVE_INFINITY;
    for (const { key } of above) {
      const was = await placeOne(ledger, pointOfPlacedKey(key), nowMs);
      if (was !== undefined) movedFrom = Math.min(movedFrom, was);
    }
  }
}

/** Lets entries count whose 24 hours are over. */
export async function placeExpired(ledger: Ledger, nowMs: number): Promise<void> {
  const byConversation = new Map<string, EntryPoint[]>();
  for (const { key } of await ledger.tx.range("timeline", everyLoose)) {
    const point = pointOfLooseKey(key);
    const entry = await ledger.entry(point);
    if (entry === undefined || !hasExpired(entry, nowMs)) continue;
    const points = byConversation.get(point.conversation) ?? [];
    byConversation.set(point.conversation, points);
    points.push(point);
  }
  for (const points of byConversation.values()) await placeEntries(ledger, points, nowMs);
}

/** The place that it had before (0: none) where it has another one now; undefined where nothing changed. */
async function placeOne(
  ledger: Ledger,
  point: EntryPoint,
  nowMs: number,
): Promise<number | undefined> {
  const entry = await ledger.entry(point);
  const chain = await ledger.chain(point.conversation, point.chain);
  if (entry === undefined || chain === undefined) return undefined;
  const hangs = await whatItHangsOn(ledger, point, { head: openHead(entry.head), chain });
  const hadWaits = await keepWaits(ledger, point, hangs);
  const waits = hangs.some(({ missing }) => missing);
  const counts = entry.place > 0 || (hasExpired(entry, nowMs) && !hangs[0].loose);
  if (waits && !counts) {
    ledger.tx.put("timeline", looseKey(point), SHOWS);
    return undefined;
  }
  const place = 1 + Math.max(hangs[0].place, hangs[1].place);
  const was = entry.place;
  if (place === was && waits === entry.provisional) return undefined;
  const screen = { ...point, ...ownerOf(chain) };
  if (was > 0) ledger.tx.delete("timeline", placedKey({ ...screen, place: was }));
  else if (hadWaits) ledger.tx.delete("timeline", looseKey(point));
  ledger.tx.put("timeline", placedKey({ ...screen, place }), shows(entry));
  entry.place = place;
  entry.provisional = waits;
  ledger.changed(entry);
  return place === was ? undefined : was;
}

/** One of the two entries that a place is computed from. */
interface Hang {
  readonly on: EntryPoint;
  /** What it contributes for now. */
  readonly place: number;
  readonly missing: boolean;
  /** It is here, and its own place is not known. */
  readonly loose: boolean;
}

interface Placed {
  readonly head: EntryHead;
  readonly chain: ChainRecord;
}

async function whatItHangsOn(
  ledger: Ledger,
  point: EntryPoint,
  { head, chain }: Placed,
): Promise<[previous: Hang, seen: Hang]> {
  return [
    await hangOnPrevious(ledger, { ...point, counter: point.counter - 1 }, chain),
    await hangOnSeen(ledger, point, head),
  ];
}

async function hangOnPrevious(ledger: Ledger, on: EntryPoint, chain: ChainRecord): Promise<Hang> {
  if (on.counter === 0) return { on, ...nothing };
  const previous = await ledger.entry(on);
  if (previous !== undefined)
    return {
      on,
      place: previous.place,
      missing: previous.place === 0,
      loose: previous.place === 0,
    };
  const told = placeBeforeStart(chain, on.counter);
  if (told > 0) return { on, place: told, missing: false, loose: false };
  const below = heldBelow(chain, on.counter);
  const nearest = below > 0 ? await ledger.entry({ ...on, counter: below }) : undefined;
  const gone = hasCounter(chain.settled, on.counter);
  const loose = nearest !== undefined && nearest.place === 0;
  return { on, place: nearest?.place ?? 0, missing: !gone || loose, loose };
}

async function hangOnSeen(ledger: Ledger, from: EntryPoint, head: EntryHead): Promise<Hang> {
  if (head.seen === undefined) return { on: from, ...nothing };
  const { conversation } = from;
  const on = { conversation, chain: toHex(head.seen.chain), counter: head.seen.counter };
  const seen = await ledger.entry(on);
  if (seen === undefined) {
    const chain = await ledger.chain(conversation, on.chain);
    const missing = !hasCounter(chain?.settled ?? [], on.counter);
    const place = chain === undefined ? 0 : placeBeforeStart(chain, on.counter);
    return { on, place, missing, loose: false };
  }
  // Another entry than the one that was seen: it was never here, and says nothing about this place.
  if (!equalBytes(entryHash(seen.head).slice(0, SEEN_HASH_BYTES), head.seen.hash))
    return { on, ...nothing };
  return { on, place: seen.place, missing: seen.place === 0, loose: seen.place === 0 };
}

/** Of what is older than this device, the device that linked it told the place of each chain's head. */
function placeBeforeStart(
  { start, placeBeforeStart: place }: ChainRecord,
  counter: number,
): number {
  return counter === start - 1 ? place : 0;
}

const nothing = { place: 0, missing: false, loose: false };

/** Rows that say on what the entry waits. True where there were some before. */
async function keepWaits(
  ledger: Ledger,
  waiter: EntryPoint,
  hangs: readonly Hang[],
): Promise<boolean> {
  const conversation = await ledger.conversation(waiter.conversation);
  if (conversation.waits === 0 && !hangs.some(({ missing }) => missing)) return false;
  let had = false;
  for (const { on, missing } of hangs) {
    const key = waitKey(on, waiter);
    const is = (await ledger.tx.get("timeline", key)) !== undefined;
    had ||= is;
    if (is === missing) continue;
    if (missing) ledger.tx.put("timeline", key, SHOWS_NOTHING);
    else ledger.tx.delete("timeline", key);
    conversation.waits += missing ? 1 : -1;
    ledger.changed(conversation);
  }
  return had;
}

async function hangingOn(ledger: Ledger, point: EntryPoint): Promise<EntryPoint[]> {
  const found: EntryPoint[] = [];
  if ((await ledger.conversation(point.conversation)).waits > 0)
    for (const { key } of await ledger.tx.range("timeline", waitersOf(point)))
      found.push(waiterOfKey(key));
  // What stands behind a gap counts from the nearest entry before it.
  const chain = await ledger.chain(point.conversation, point.chain);
  const above = chain === undefined ? 0 : heldAbove(chain, point.counter);
  if (above > point.counter + 1) found.push({ ...point, counter: above });
  return found;
}

function hasExpired({ receivedAtMs }: StoredEntry, nowMs: number): boolean {
  return nowMs - Number(receivedAtMs) >= WAIT_FOR_PLACE_MS;
}

export function shows({ hidden }: StoredEntry): Uint8Array {
  return hidden.case === undefined ? SHOWS : SHOWS_NOTHING;
}

export function ownerOf({ accountId, deviceId }: ChainRecord): {
  accountId: string;
  deviceId: number;
} {
  return { accountId: toHex(accountId), deviceId };
}
