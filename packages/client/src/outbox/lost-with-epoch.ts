import { type Epoch, equalBytes } from "@parley/protocol";

/** The epochs of a welcome, and the one that hello named: up to it all was judged before. Empty: none yet. */
export interface EpochNews {
  readonly epochs: readonly Epoch[];
  readonly judged: Uint8Array;
}

/**
 * Lost is what was accepted in an epoch that the server does not know, and of a known one what lies above the
 * floor of the next in the server's list (delivery.md 5). Marks of two epochs are never compared. Where the
 * list begins at the epoch that was judged before, older ones were judged against it: it stands on them.
 */
export function isLostWithEpoch(
  { epoch, mark }: { readonly epoch: Uint8Array; readonly mark: bigint },
  { epochs, judged }: EpochNews,
): boolean {
  const index = epochs.findIndex(({ id }) => equalBytes(id, epoch));
  if (index < 0) {
    const first = epochs[0];
    return first === undefined || !equalBytes(first.id, judged);
  }
  const next = epochs[index + 1];
  return next !== undefined && mark > next.floor;
}

/** A plain reconnect: the list holds the judged epoch alone, and nothing can have been lost. */
export function bringsNews({ epochs, judged }: EpochNews): boolean {
  const [only, another] = epochs;
  return another !== undefined || only === undefined || !equalBytes(only.id, judged);
}
