import { type AccountEntryPlace, equalBytes, type SignedAccountEntry } from "@parley/protocol";
import type { Operation } from "../operation.ts";
import { type AccountState, accountPlace, comparePlaces, entryHash } from "./account-state.ts";
import { type ChainRefusal, verifyAccountEntry } from "./verify-account-entry.ts";

export interface ChainToVerify {
  /** Whose chain it is to be: the root key must hash to it. */
  readonly accountId: Uint8Array;
  /** From an entry of the root on, or from the one behind `known` on. */
  readonly entries: readonly SignedAccountEntry[];
  /** What is held already, and never given up for something older. */
  readonly known?: AccountState | undefined;
}

export type ChainVerdict =
  | {
      readonly kind: "valid";
      readonly state: AccountState;
      /** Where each entry stands, with its hash: a head that a message quotes is compared with these. */
      readonly places: readonly AccountEntryPlace[];
    }
  | { readonly kind: "refused"; readonly at: number; readonly reason: ChainRefusal }
  /** Ends before what is known. */
  | { readonly kind: "older"; readonly state: AccountState }
  /** Holds another entry where the known one stands, and no later era settles it. */
  | { readonly kind: "forked"; readonly state: AccountState };

/** The rules of trust.md 2, entry by entry. What a device signs counts in its own era only. */
export function* verifyAccountChain(chain: ChainToVerify): Operation<ChainVerdict> {
  const { accountId, known } = chain;
  const entries = withoutKnownHead(chain);
  if (entries.length === 0)
    return known === undefined
      ? { kind: "refused", at: 0, reason: "empty" }
      : { kind: "valid", state: known, places: [accountPlace(known)] };
  let state = known;
  const places: AccountEntryPlace[] = [];
  for (const [at, signed] of entries.entries()) {
    const before = at === 0 ? undefined : state;
    const step = yield* verifyAccountEntry({ accountId, before, known }, signed);
    if (step.kind === "refused") return { ...step, at };
    state = step.state;
    places.push(accountPlace(state));
  }
  return verdict(state as AccountState, places, known);
}

function verdict(
  state: AccountState,
  places: readonly AccountEntryPlace[],
  known: AccountState | undefined,
): ChainVerdict {
  if (known === undefined || state.era > known.era) return { kind: "valid", state, places };
  if (comparePlaces(state, known) < 0) return { kind: "older", state };
  // Either the entries begin right behind the known head, or they pass its place.
  const there = places.find((place) => comparePlaces(place, known) === 0);
  if (there !== undefined && !equalBytes(there.hash, known.headHash))
    return { kind: "forked", state };
  return { kind: "valid", state, places };
}

/** An answer may begin with the entry that is held already. */
function withoutKnownHead({ entries, known }: ChainToVerify): readonly SignedAccountEntry[] {
  const first = entries[0];
  if (first === undefined || known === undefined) return entries;
  return equalBytes(entryHash(first.body), known.headHash) ? entries.slice(1) : entries;
}
