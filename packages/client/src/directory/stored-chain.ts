import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type AccountState,
  accountHead,
  type ChainVerdict,
  comparePlaces,
  entryHash,
  verifyAccountChain,
} from "@parley/crypto";
import {
  type AccountEntryPlace,
  type AccountHead,
  equalBytes,
  fromHex,
  type SignedAccountEntry,
  SignedAccountEntrySchema,
  toHex,
} from "@parley/protocol";
import { StoredAccountChainSchema } from "../gen/parley/store/v1/device_pb.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { HeadStanding, KnownAccount } from "./directory.ts";

/** A chain that is held, with what it says. */
export interface HeldChain {
  readonly entries: readonly SignedAccountEntry[];
  readonly state: AccountState;
  readonly places: readonly AccountEntryPlace[];
  readonly account: KnownAccount;
}

export function encodeChain(entries: readonly SignedAccountEntry[]): Uint8Array {
  const kept = entries.map(({ body, signature }) => ({ body, signature }));
  return toBinary(StoredAccountChainSchema, create(StoredAccountChainSchema, { entries: kept }));
}

export function decodeChain(row: Uint8Array): SignedAccountEntry[] {
  return fromBinary(StoredAccountChainSchema, row.slice()).entries.map(({ body, signature }) =>
    create(SignedAccountEntrySchema, { body, signature }),
  );
}

/** Throws where the row does not verify: it did when it was written. */
export async function readChain(
  crypto: CryptoRunner,
  accountId: string,
  row: Uint8Array,
): Promise<HeldChain> {
  const entries = decodeChain(row);
  const verdict = await crypto.run(verifyAccountChain({ accountId: fromHex(accountId), entries }));
  if (verdict.kind !== "valid") throw new Error("a stored account chain does not verify");
  return heldChain(entries, verdict);
}

export function heldChain(
  entries: readonly SignedAccountEntry[],
  { state, places }: Extract<ChainVerdict, { kind: "valid" }>,
): HeldChain {
  return { entries, state, places, account: accountOf(state) };
}

/** What came behind what was held: entries that are held already are left out. */
export function joined(
  held: HeldChain,
  fresh: readonly SignedAccountEntry[],
): readonly SignedAccountEntry[] {
  const known = new Set(held.entries.map(({ body }) => toHex(entryHash(body))));
  return [...held.entries, ...fresh.filter(({ body }) => !known.has(toHex(entryHash(body))))];
}

/** Entries behind that head, where it stands in the chain. */
export function entriesBehind(held: HeldChain, head: AccountHead): readonly SignedAccountEntry[] {
  const at = held.places.findIndex((place) => isAt(place, head));
  return at < 0 ? [] : held.entries.slice(at + 1);
}

export function standingIn(held: HeldChain | undefined, quoted: AccountHead): HeadStanding {
  if (held === undefined || comparePlaces(quoted, held.state) > 0) return "newer";
  const there = held.places.find((place) => comparePlaces(place, quoted) === 0);
  // A newcomer holds the chain from its newest root-signed entry on: what is before that is not compared.
  if (there === undefined) return "older";
  if (!isAt(there, quoted)) return "contradicts";
  return there === held.places.at(-1) ? "current" : "older";
}

/** Heads name the first 16 bytes of the entry's hash. */
function isAt(place: AccountEntryPlace, head: AccountHead): boolean {
  return (
    comparePlaces(place, head) === 0 &&
    equalBytes(place.hash.subarray(0, head.hash.length), head.hash)
  );
}

function accountOf(state: AccountState): KnownAccount {
  const accountId = toHex(state.accountId);
  const devices = state.devices.map(({ deviceId, identityKey, registrationId, sealedName }) => ({
    address: { accountId, deviceId },
    identityKey,
    registrationId,
    sealedName,
  }));
  return { accountId, rootKey: state.rootKey, head: accountHead(state), devices };
}
