import { fromBinary } from "@bufbuild/protobuf";
import {
  type AccountEntry,
  AccountEntrySchema,
  copyOf,
  equalBytes,
  type SignedAccountEntry,
  validate,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { isAccountOfRoot } from "../identity/account.ts";
import { LABELS, labelled } from "../labels.ts";
import { ed25519Verify, type Operation } from "../operation.ts";
import { applyChanges, type ChangeRefusal } from "./account-changes.ts";
import { type AccountState, accountStateHash, entryHash } from "./account-state.ts";

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

export type AccountStep =
  | { readonly kind: "state"; readonly state: AccountState }
  | { readonly kind: "refused"; readonly reason: ChainRefusal };

/** What an entry is judged on. */
export interface AccountGround {
  readonly accountId: Uint8Array;
  /** The entry before, of those that are verified; undefined for the first of them. */
  readonly before: AccountState | undefined;
  readonly known: AccountState | undefined;
}

/** One entry, by the rules of trust.md 2. */
export function* verifyAccountEntry(
  ground: AccountGround,
  signed: SignedAccountEntry,
): Operation<AccountStep> {
  const entry = readAccountEntry(signed.body);
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
  { accountId, before, known }: AccountGround,
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
  // Its own entry on a branch that lost: of this era. That branch may be the longer one.
  if (withdraws !== undefined && withdraws.era !== era) return "wrong-place";
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

/** Undefined where it is none of this schema, or outside its limits. */
export function readAccountEntry(body: Uint8Array): AccountEntry | undefined {
  try {
    // Copied: what is kept of it must not hang on the frame that it came in.
    const entry = fromBinary(AccountEntrySchema, copyOf(body));
    validate(AccountEntrySchema, entry, "server");
    return entry;
  } catch {
    return undefined;
  }
}

function refused(reason: ChainRefusal): AccountStep {
  return { kind: "refused", reason };
}
