import type { Ledger } from "../conversation/ledger.ts";
import { type Emit, emitAfter } from "../events.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { countMissing, deleteHole, findHole, newHole, putHole } from "./hole-row.ts";

/** An envelope of the device could not be decrypted: it is asked for inside a new session (trust.md 6). */
export async function noteUndecryptable(
  ledger: Ledger,
  from: DeviceAddress,
  nowMs: number,
): Promise<void> {
  const record = (await findHole(ledger.tx, from)) ?? newHole(nowMs);
  record.undecryptable += 1;
  record.freshSession = true;
  putHole(ledger.tx, from, record);
}

/** Something may be missing of which no chain tells: everything is asked for, without ranges. */
export async function askForEverything(
  ledger: Ledger,
  of: DeviceAddress,
  nowMs: number,
): Promise<void> {
  const record = (await findHole(ledger.tx, of)) ?? newHole(nowMs);
  record.askWhole = true;
  record.askAtMs = 0n;
  putHole(ledger.tx, of, record);
}

/**
 * After chains of the conversation with the device's account changed: opens, shrinks, closes its row. True
 * where something is missing.
 */
export async function noteHoles(
  ledger: Ledger,
  emit: Emit,
  { from, nowMs }: { readonly from: DeviceAddress; readonly nowMs: number },
): Promise<boolean> {
  const { tx } = ledger;
  const conversation = from.accountId;
  const missing = await countMissing(ledger, conversation);
  let record = await findHole(tx, from);
  if (record === undefined) {
    if (missing > 0) putHole(tx, from, newHole(nowMs));
    return missing > 0;
  }
  const count = missing + record.undecryptable;
  const filled = record.announced - count;
  if (filled > 0) {
    record = { ...record, announced: count };
    emitAfter(tx, emit, { type: "filled", conversation, from: conversation, count: filled });
  }
  if (count === 0 && !record.askWhole) deleteHole(tx, from);
  else if (filled > 0) putHole(tx, from, record);
  return count > 0;
}
