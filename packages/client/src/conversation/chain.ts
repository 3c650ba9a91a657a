import { create } from "@bufbuild/protobuf";
import { fromHex, toHex } from "@parley/protocol";
import { type ChainRecord, ChainRecordSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { addCounters, hasCounter, NO_COUNTERS, removeCounters, runWith } from "./counter-set.ts";
import { InvalidEntryError } from "./entry.ts";

/**
 * What a receiver keeps of a chain: its head, the head's hash, what is missing below it (delivery.md 2). It
 * is the filter against repeats and the proof that nothing was missed unseen.
 */
export function newChain({ accountId, deviceId }: DeviceAddress, start: number): ChainRecord {
  const settled = [...addCounters(NO_COUNTERS, 1, start - 1)];
  return create(ChainRecordSchema, {
    accountId: fromHex(accountId),
    deviceId,
    start,
    settled,
    head: 0,
  });
}

/** A chain belongs to the device that began it. */
export function belongsTo(chain: ChainRecord, { accountId, deviceId }: DeviceAddress): boolean {
  return chain.deviceId === deviceId && toHex(chain.accountId) === accountId;
}

export function holds(chain: ChainRecord, counter: number): boolean {
  return (
    counter >= 1 &&
    counter <= chain.head &&
    !hasCounter(chain.missing, counter) &&
    !hasCounter(chain.settled, counter)
  );
}

/** The nearest counter below that is here; 0: none. */
export function heldBelow(chain: ChainRecord, counter: number): number {
  let at = Math.min(counter - 1, chain.head);
  while (at > 0) {
    const gap = runWith(chain.missing, at) ?? runWith(chain.settled, at);
    if (gap === undefined) return at;
    at = gap.first - 1;
  }
  return 0;
}

/** The nearest counter above that is here; 0: none. */
export function heldAbove(chain: ChainRecord, counter: number): number {
  let at = counter + 1;
  while (at <= chain.head) {
    const gap = runWith(chain.missing, at) ?? runWith(chain.settled, at);
    if (gap === undefined) return at;
    at = gap.last + 1;
  }
  return 0;
}

/** The highest counter that is known to exist. */
export function knownUpTo({ head, told }: ChainRecord): number {
  return Math.max(head, told);
}

/**
 * So many separate holes in one chain that no honest device makes them; each would cost at every write of
 * the chain's row.
 */
const MISSING_RUNS_MAX = 1024;

/** Notes that the entry is here now. Throws InvalidEntryError, having changed nothing. */
export function noteHeld(chain: ChainRecord, counter: number, hash: Uint8Array): void {
  const known = knownUpTo(chain);
  const missing =
    counter > known
      ? addCounters(chain.missing, known + 1, counter - 1)
      : removeCounters(chain.missing, counter, counter);
  if (missing.length > 2 * MISSING_RUNS_MAX)
    throw new InvalidEntryError("too many holes in one chain");
  chain.missing = [...missing];
  chain.settled = [...removeCounters(chain.settled, counter, counter)];
  if (counter > chain.head) {
    chain.head = counter;
    chain.headHash = hash;
  }
}

/** Notes that the chain goes at least so far. True where that is news: there is a gap more. */
export function noteTold(chain: ChainRecord, counter: number): boolean {
  const known = knownUpTo(chain);
  if (counter <= known) return false;
  chain.missing = [...addCounters(chain.missing, known + 1, counter)];
  chain.told = counter;
  return true;
}

/** Notes that these will not come. Those that are here stay here. */
export function noteSettled(chain: ChainRecord, counter: number): boolean {
  if (!hasCounter(chain.missing, counter)) return false;
  chain.missing = [...removeCounters(chain.missing, counter, counter)];
  chain.settled = [...addCounters(chain.settled, counter, counter)];
  return true;
}

/** The last entry of which everything before is accepted too; 0: none. */
export function acceptedHead(chain: ChainRecord): number {
  const first = chain.accepted[0];
  if (first === undefined) return 0;
  const upTo = runWith(chain.accepted, first)?.last ?? 0;
  return holds(chain, upTo) ? upTo : 0;
}
