import { type ChainReceipt, equalBytes, type Receipt, toHex } from "@parley/protocol";
import { type CounterSet, differenceOf, runsOf } from "../conversation/counter-set.ts";
import { entryHash, openBody } from "../conversation/entry.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ownerOf } from "../conversation/placing.ts";
import { type Emit, emitAfter } from "../events.ts";
import { dropAccepted } from "../outbox/outbox-row.ts";
import { noteEchoes } from "../presence/given-keys.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { afterReceipt } from "./watermark.ts";

export interface Applying {
  readonly ownAccountId: string;
  readonly emit: Emit;
}

/** What another account's device says of this account's chains (delivery.md 6). */
export async function applyReceipt(
  applying: Applying,
  ledger: Ledger,
  { from, receipt }: { readonly from: DeviceAddress; readonly receipt: Receipt },
): Promise<void> {
  await noteEchoes(ledger.tx, from, receipt);
  for (const of of receipt.chains)
    await applyToChain(applying, ledger, { from: from.accountId, device: from.deviceId, of });
}

async function applyToChain(
  { ownAccountId, emit }: Applying,
  ledger: Ledger,
  { from, device, of }: { from: string; device: number; of: ChainReceipt },
): Promise<void> {
  const id = toHex(of.chain);
  const chain = await ledger.chain(from, id);
  if (chain === undefined || ownerOf(chain).accountId !== ownAccountId) return;
  if (of.read > of.delivered) return;
  if (!(await isOfThisChain(ledger, { from, of }, chain.head))) {
    // Somebody holds entries of this chain that are not here: this device was rolled back (trust.md 7).
    emitAfter(ledger.tx, emit, { type: "alarm", kind: "rolled-back", about: from });
    return;
  }
  const start = chain.starts.find(
    ({ accountId, deviceId }) => deviceId === device && toHex(accountId) === from,
  );
  const after = afterReceipt(chain, {
    start: start?.start ?? 1,
    delivered: { upTo: of.delivered, except: of.deliveredExcept },
    read: { upTo: of.read, except: of.readExcept },
  });
  chain.accepted = [...after.accepted];
  chain.delivered = [...after.delivered];
  chain.read = [...after.read];
  if (after.newlyDelivered.length + after.newlyRead.length === 0) return;
  ledger.changed(chain);
  for (const [first, last] of runsOf(after.newlyDelivered))
    for (let counter = first; counter <= last; counter++)
      dropAccepted(ledger.tx, { conversation: from, chain: id, counter });
  const tell = { emit, ledger, conversation: from, chain: id };
  await tellStatus(tell, differenceOf(after.newlyDelivered, after.newlyRead), "delivered");
  await tellStatus(tell, after.newlyRead, "read");
}

async function isOfThisChain(
  ledger: Ledger,
  { from, of }: { readonly from: string; readonly of: ChainReceipt },
  head: number,
): Promise<boolean> {
  if (of.delivered > head) return false;
  if (of.deliveredHash.length === 0 || of.delivered === 0) return true;
  const point = { conversation: from, chain: toHex(of.chain), counter: of.delivered };
  const entry = await ledger.entry(point);
  return entry === undefined || equalBytes(entryHash(entry.head), of.deliveredHash);
}

interface Telling {
  readonly emit: Emit;
  readonly ledger: Ledger;
  readonly conversation: string;
  readonly chain: string;
}

async function tellStatus(
  { emit, ledger, conversation, chain }: Telling,
  counters: CounterSet,
  status: "delivered" | "read",
): Promise<void> {
  for (const [first, last] of runsOf(counters))
    for (let counter = first; counter <= last; counter++) {
      const entry = await ledger.entry({ conversation, chain, counter });
      if (entry === undefined || entry.hidden.case !== undefined) continue;
      const messageId = toHex(openBody(entry.body).messageId);
      emitAfter(ledger.tx, emit, { type: "status", messageId, conversation, status });
    }
}
