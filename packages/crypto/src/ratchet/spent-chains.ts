import { concatBytes, equalBytes, type ReceivingChain } from "@parley/protocol";
import { uint32Bytes } from "../primitives/text.ts";

/**
 * A short memory of receiving chains that were dropped: enough to tell a message that comes again, after a
 * server was restored for instance, from one that cannot be read. 12 bytes a chain, at most 64 chains.
 */
const PREFIX_BYTES = 8;
const RECORD_BYTES = PREFIX_BYTES + 4;
const SPENT_CHAINS_MAX = 64;

export function rememberSpent(spent: Uint8Array, chain: ReceivingChain): Uint8Array {
  // Below the oldest key that was still waited for, every key was used.
  const usedBelow = chain.skipped[0]?.counter ?? chain.counter;
  const record = concatBytes(prefixOf(chain.ratchetPublic), uint32Bytes(usedBelow));
  const kept = spent.subarray(Math.max(0, spent.length - (SPENT_CHAINS_MAX - 1) * RECORD_BYTES));
  return concatBytes(kept, record);
}

/** The counter below which every key of that chain was used; undefined where the chain is not remembered. */
export function spentBelow(spent: Uint8Array, ratchetPublic: Uint8Array): number | undefined {
  const prefix = prefixOf(ratchetPublic);
  for (let at = 0; at + RECORD_BYTES <= spent.length; at += RECORD_BYTES) {
    if (!equalBytes(prefix, spent.subarray(at, at + PREFIX_BYTES))) continue;
    return new DataView(spent.buffer, spent.byteOffset + at + PREFIX_BYTES, 4).getUint32(0);
  }
  return undefined;
}

function prefixOf(ratchetPublic: Uint8Array): Uint8Array {
  return ratchetPublic.subarray(1, 1 + PREFIX_BYTES);
}
