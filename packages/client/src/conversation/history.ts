import { fromBinary } from "@bufbuild/protobuf";
import { toHex } from "@parley/protocol";
import type { ShownMessage } from "../api.ts";
import { ChainRecordSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import { allUnsent } from "../outbox/unsent.ts";
import { runsOf } from "./counter-set.ts";
import { decodePoint } from "./entry-ref.ts";
import {
  type EntryPoint,
  placedKey,
  placedRange,
  pointOfPlacedKey,
  type ScreenPoint,
  screenKey,
  under,
} from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { entryName, loosePoints, screenPointOf } from "./loose.ts";
import { SHOWS } from "./placing.ts";
import { showEntry, showUnsent, type Viewer } from "./shown.ts";

export interface HistoryPage {
  readonly limit?: number;
  /** A message id: what stands before it. */
  readonly before?: string;
}

/** Rows read at once while looking for enough that show something. */
const PAGE_ROWS = 256;

/** In the order of the screen, newest last; what is not sent yet stands at the end. */
export async function readHistory(
  ledger: Ledger,
  viewer: Viewer,
  conversation: string,
  { limit = Number.POSITIVE_INFINITY, before }: HistoryPage = {},
): Promise<ShownMessage[]> {
  const unsent = await shownUnsent(ledger, viewer, conversation);
  const unsentBefore = unsent.findIndex(({ messageId }) => messageId === before);
  const loose = await loosePoints(ledger, conversation);
  const place =
    before === undefined || unsentBefore >= 0 ? undefined : await placeOf(ledger, before);
  const limitKey = place && (await screenPointOf(ledger, place));
  const queued =
    before === undefined ? unsent : unsentBefore >= 0 ? unsent.slice(0, unsentBefore) : [];
  const wanted = limit - queued.length;
  const points = await lastPoints(ledger, { conversation, limit: wanted, before: limitKey });
  for (const [, point] of loose)
    if (limitKey === undefined || screenKey(point) < screenKey(limitKey)) points.push(point);
  points.sort((a, b) => (screenKey(a) < screenKey(b) ? -1 : 1));

  const shown: ShownMessage[] = [];
  for (const point of lastOf(points, wanted)) {
    const message = await showEntry(ledger, viewer, point);
    if (message !== undefined) shown.push(message);
  }
  return lastOf([...shown, ...queued], limit);
}

function lastOf<T>(list: readonly T[], count: number): T[] {
  return list.slice(Math.max(0, list.length - count));
}

/** What is unread, oldest first, of all conversations: each in the order of its screen. */
export async function readUnread(ledger: Ledger, viewer: Viewer): Promise<ShownMessage[]> {
  const found: { readonly atMs: number; readonly message: ShownMessage }[] = [];
  for (const [conversation, points] of await unreadPoints(ledger)) {
    const loose = await loosePoints(ledger, conversation);
    const ordered: ScreenPoint[] = [];
    for (const point of points) {
      const screen = loose.get(entryName(point)) ?? (await screenPointOf(ledger, point));
      if (screen !== undefined) ordered.push(screen);
    }
    ordered.sort((a, b) => (screenKey(a) < screenKey(b) ? -1 : 1));
    let atMs = 0;
    for (const point of ordered) {
      const message = await showEntry(ledger, viewer, point);
      const entry = await ledger.entry(point);
      atMs = Math.max(atMs, Number(entry?.receivedAtMs ?? 0n));
      if (message !== undefined) found.push({ atMs, message });
    }
  }
  return found.sort((a, b) => a.atMs - b.atMs).map(({ message }) => message);
}

/** Unread entries of a conversation, without reading one. */
export async function unreadCounts(ledger: Ledger): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [conversation, points] of await unreadPoints(ledger))
    counts.set(conversation, points.length);
  return counts;
}

async function unreadPoints({ tx }: Ledger): Promise<Map<string, EntryPoint[]>> {
  const found = new Map<string, EntryPoint[]>();
  for (const { key, value } of await tx.range("chains", {})) {
    const [conversation, chain] = key.split("/") as [string, string];
    const points = found.get(conversation) ?? [];
    for (const [first, last] of runsOf(fromBinary(ChainRecordSchema, value).unread))
      for (let counter = first; counter <= last; counter++)
        points.push({ conversation, chain, counter });
    if (points.length > 0) found.set(conversation, points);
  }
  return found;
}

async function shownUnsent(
  { tx }: Ledger,
  viewer: Viewer,
  conversation: string,
): Promise<ShownMessage[]> {
  return (await allUnsent(tx))
    .filter(({ entry }) => entry.head.length === 0 && toHex(entry.conversation) === conversation)
    .map(({ entry }) => showUnsent(entry, viewer));
}

async function placeOf({ tx }: Ledger, messageId: string): Promise<EntryPoint | undefined> {
  const [row] = await tx.range("messages", { ...under(`${messageId}/`), limit: 1 });
  return row && decodePoint(row.value);
}

interface LastPoints {
  readonly conversation: string;
  readonly limit: number;
  readonly before: ScreenPoint | undefined;
}

/** The last entries that show something. */
async function lastPoints(
  { tx }: Ledger,
  { conversation, limit, before }: LastPoints,
): Promise<ScreenPoint[]> {
  const found: ScreenPoint[] = [];
  const range = placedRange(conversation);
  let end = before === undefined ? range.before : placedKey(before);
  while (found.length < limit && end !== undefined) {
    const page = { ...range, before: end, reverse: true, limit: PAGE_ROWS };
    const rows = await tx.range("timeline", page);
    for (const { key, value } of rows)
      if (value[0] === SHOWS[0] && found.length < limit) found.push(pointOfPlacedKey(key));
    end = rows.length < PAGE_ROWS ? undefined : rows.at(-1)?.key;
  }
  return found;
}
