import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type AccountEntry,
  type AccountEntryPlace,
  AccountEntryPlaceSchema,
  AccountEntrySchema,
  equalBytes,
  type SignedAccountEntry,
  validate,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { isAccountOfRoot } from "../identity/account.ts";
import { LABELS, labelled } from "../labels.ts";
import { ed25519Verify, type Operation } from "../operation.ts";
import { applyChanges, type ChangeRefusal } from "./account-changes.ts";
import { type AccountState, accountStateHash, comparePlaces, entryHash } from "./account-state.ts";

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

export type ChainRefusal =
  | ChangeRefusal
  | "empty"
  /** Not an entry of this schema, or outside its limits. */
  | "malformed"
  | "other-account"
  /** The root key does not hash to the account id. */
  | "other-root"
  | "no-root-entry"
  | "wrong-place"
  | "wrong-previous-hash"
  | "signer-not-listed"
  | "wrong-signature"
  | "wrong-state-hash";

/** The rules of trust.md 2, entry by entry. What a device signs counts in its own era only. */
export function* verifyAccountChain(chain: ChainToVerify): Operation<ChainVerdict> {
  const { accountId, known } = chain;
  const entries = withoutKnownHead(chain);
  if (entries.length === 0)
    return known === undefined
      ? { kind: "refused", at: 0, reason: "empty" }
      : { kind: "valid", state: known, places: [placeOf(known)] };
  let state = known;
  const places: AccountEntryPlace[] = [];
  for (const [at, signed] of entries.entries()) {
    const before = at === 0 ? undefined : state;
    const step = yield* verifyEntry({ accountId, before, known }, signed);
    if (step.kind === "refused") return { ...step, at };
    state = step.state;
    places.push(placeOf(state));
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

type Step =
  | { readonly kind: "state"; readonly state: AccountState }
  | { readonly kind: "refused"; readonly reason: ChainRefusal };

interface Ground {
  readonly accountId: Uint8Array;
  /** The entry before, of those that are verified; undefined for the first of them. */
  readonly before: AccountState | undefined;
  readonly known: AccountState | undefined;
}

function* verifyEntry(ground: Ground, signed: SignedAccountEntry): Operation<Step> {
  const entry = parse(signed.body);
  if (entry === undefined) return refused("malformed");
  if (!equalBytes(entry.accountId, ground.accountId)) return refused("other-account");
  const signer =
    entry.signer.case === "root"
      ? rootSigner(ground, entry, entry.signer.value.rootKey)
      : deviceSigner(ground.before ?? ground.known, entry);
  if (typeof signer === "string") return refused(signer);
  if (!(yield* isSignedBy(signer.publicKey, signed))) return refused("wrong-signature");
  const { accountId } = ground;
  const byRoot = entry.signer.case === "root";
  const base = { accountId, byRoot, devices: signer.before?.devices ?? [] };
  const after = yield* applyChanges(base, entry.changes);
  if (after.kind === "refused") return after;
  const { rootKey } = signer;
  const { devices } = after;
  if (!equalBytes(accountStateHash({ accountId, rootKey }, devices), entry.stateHash))
    return refused("wrong-state-hash");
  const { era, version } = entry;
  const headHash = entryHash(signed.body);
  return { kind: "state", state: { accountId, rootKey, era, version, headHash, devices } };
}

interface Signer {
  readonly publicKey: Uint8Array;
  readonly rootKey: Uint8Array;
  readonly before?: AccountState;
}

/**
 * The root signs the first entry of an era, and no other. A later era names the entry that it accepts and
 * links to it, which need not be the newest that is known: that is how a thief's entries become void.
 */
function rootSigner(
  { accountId, before, known }: Ground,
  entry: AccountEntry,
  rootKey: Uint8Array,
): Signer | ChainRefusal {
  const { era, version, accepts, previousHash } = entry;
  if (!isAccountOfRoot(accountId, rootKey)) return "other-root";
  if (known !== undefined && !equalBytes(known.rootKey, rootKey)) return "other-root";
  if (version !== 1 || entry.withdraws !== undefined) return "wrong-place";
  if (before !== undefined && era <= before.era) return "wrong-place";
  if (era === 1) {
    if (accepts !== undefined) return "wrong-place";
    return previousHash.length === 0 ? { publicKey: rootKey, rootKey } : "wrong-previous-hash";
  }
  if (accepts === undefined || accepts.era !== era - 1) return "wrong-place";
  if (!equalBytes(previousHash, accepts.hash)) return "wrong-previous-hash";
  return { publicKey: rootKey, rootKey };
}

/** A device signs the next version of the era that it is listed in. */
function deviceSigner(
  before: AccountState | undefined,
  entry: AccountEntry,
): Signer | ChainRefusal {
  const { era, version, accepts, withdraws, previousHash } = entry;
  if (before === undefined) return "no-root-entry";
  if (era !== before.era || version !== before.version + 1) return "wrong-place";
  if (accepts !== undefined) return "wrong-place";
  // Its own entry on a branch that lost: of this era, and not behind this one.
  if (withdraws !== undefined && (withdraws.era !== era || withdraws.version >= version))
    return "wrong-place";
  if (!equalBytes(previousHash, before.headHash)) return "wrong-previous-hash";
  const deviceId = entry.signer.case === "device" ? entry.signer.value.deviceId : 0;
  const device = before.devices.find((listed) => listed.deviceId === deviceId);
  if (device === undefined) return "signer-not-listed";
  return { publicKey: device.identityKey, rootKey: before.rootKey, before };
}

function* isSignedBy(
  publicKey: Uint8Array,
  { body, signature }: SignedAccountEntry,
): Operation<boolean> {
  try {
    const message = labelled(LABELS.accountEntry, body);
    return yield* ed25519Verify({ publicKey, message, signature });
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "invalid-key") return false;
    throw cause;
  }
}

function parse(body: Uint8Array): AccountEntry | undefined {
  try {
    // Copied: what is kept of it must not hang on the frame that it came in.
    const entry = fromBinary(AccountEntrySchema, body.slice());
    validate(AccountEntrySchema, entry, "server");
    return entry;
  } catch {
    return undefined;
  }
}

/** An answer may begin with the entry that is held already. */
function withoutKnownHead({ entries, known }: ChainToVerify): readonly SignedAccountEntry[] {
  const first = entries[0];
  if (first === undefined || known === undefined) return entries;
  return equalBytes(entryHash(first.body), known.headHash) ? entries.slice(1) : entries;
}

function placeOf({ era, version, headHash }: AccountState): AccountEntryPlace {
  return create(AccountEntryPlaceSchema, { era, version, hash: headHash });
}

function refused(reason: ChainRefusal): Step {
  return { kind: "refused", reason };
}
