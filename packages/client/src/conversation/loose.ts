import type { ChainRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import { heldBelow } from "./chain.ts";
import { openHead } from "./entry.ts";
import {
  type EntryPoint,
  looseRange,
  placedRange,
  pointOfLooseKey,
  pointOfPlacedKey,
  type ScreenPoint,
} from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { ownerOf } from "./placing.ts";

/**
 * Where entries without a place are shown: where they claim to be, at most one past the end, and behind
 * their chain's previous (delivery.md 2).
 */
export async function loosePoints(
  ledger: Ledger,
  conversation: string,
): Promise<Map<string, ScreenPoint>> {
  const shown = new Map<string, ScreenPoint>();
  const rows = await ledger.tx.range("timeline", looseRange(conversation));
  if (rows.length === 0) return shown;
  const [last] = await ledger.tx.range("timeline", {
    ...placedRange(conversation),
    reverse: true,
    limit: 1,
  });
  const end = last === undefined ? 0 : pointOfPlacedKey(last.key).place;
  for (const { key } of rows) {
    const point = pointOfLooseKey(key);
    const entry = await ledger.entry(point);
    const chain = await ledger.chain(conversation, point.chain);
    if (entry === undefined || chain === undefined) continue;
    const previous = { ...point, counter: heldBelow(chain, point.counter) };
    const behind =
      shown.get(entryName(previous))?.place ?? 1 + ((await ledger.entry(previous))?.place ?? 0);
    const claimed = Math.max(openHead(entry.head).lamport, behind);
    const place = Math.min(claimed, end + 1);
    shown.set(entryName(point), { ...point, ...ownerOf(chain), place });
  }
  return shown;
}

export const entryName = ({ chain, counter }: EntryPoint) => `${chain}/${counter}`;

/** Where the entry stands on the screen, its place known or not. Undefined where it is not here. */
export async function screenPointOf(
  ledger: Ledger,
  point: EntryPoint,
): Promise<ScreenPoint | undefined> {
  const entry = await ledger.entry(point);
  const chain: ChainRecord | undefined = await ledger.chain(point.conversation, point.chain);
  if (entry === undefined || chain === undefined) return undefined;
  if (entry.place === 0)
    return (await loosePoints(ledger, point.conversation)).get(entryName(point));
  return { ...point, ...ownerOf(chain), place: entry.place };
}
