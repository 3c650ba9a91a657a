import { fromBinary } from "@bufbuild/protobuf";
import {
  type AccountEntryPlace,
  copyOf,
  type DeviceEntry,
  equalBytes,
  type GroupEntry,
  GroupEntrySchema,
  type SignedGroupEntry,
  validate,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { LABELS, type Label, labelled } from "../labels.ts";
import { ed25519Verify, type Operation } from "../operation.ts";
import { entryHash } from "./account-state.ts";
import { applyGroupChange, type GroupChangeRefusal } from "./group-changes.ts";
import { type GroupState, groupStateHash, listOf } from "./group-state.ts";

export type GroupRefusal =
  | GroupChangeRefusal
  /** Not an entry of this schema, or outside its limits. */
  | "malformed"
  | "other-group"
  | "wrong-place"
  | "wrong-previous-hash"
  | "signer-not-listed"
  | "wrong-signature"
  | "wrong-state-hash";

/**
 * The devices of an account at a place of its chain; undefined: no such entry is known here. Every entry that is properly
 * signed counts, also one that a fork or a later era has put out of force: a group's chain goes by what it has
 * quoted itself, so its past stays what it was (trust.md 4).
 */
export type DevicesAt = (
  accountId: Uint8Array,
  place: AccountEntryPlace,
) => readonly DeviceEntry[] | undefined;

/** What an entry is judged on. */
export interface GroupGround {
  readonly groupId: Uint8Array;
  /** The entry before; undefined for the first. */
  readonly before: GroupState | undefined;
  readonly devicesAt: DevicesAt;
}

export type GroupStep =
  | { readonly kind: "state"; readonly state: GroupState }
  /** A place that it quotes is not known here: these are to be fetched. */
  | { readonly kind: "waits" }
  | { readonly kind: "refused"; readonly reason: GroupRefusal };

export interface ReadGroupEntry {
  readonly signed: SignedGroupEntry;
  readonly entry: GroupEntry;
}

/** One entry, by the rules of trust.md 4: by its position, never by a clock. */
export function* verifyGroupEntry(
  ground: GroupGround,
  { signed, entry }: ReadGroupEntry,
): Operation<GroupStep> {
  const { groupId, before, devicesAt } = ground;
  const headHash = entryHash(signed.body);
  const misplaced = placeProblem(ground, entry, headHash);
  if (misplaced !== undefined) return refused(misplaced);
  const { signer, change } = entry;
  if (signer === undefined || change === undefined) return refused("malformed");
  const changed = applyGroupChange(before, {
    change: change.change,
    signer,
    listsSeen: entry.listsSeen,
    settles: entry.withdraws.length > 0 || entry.stands.length > 0,
  });
  if (changed.kind === "refused") return changed;
  const { contents } = changed;
  // The first entry's hash is the id: its own state is hashed without one.
  if (!equalBytes(groupStateHash(entry.groupId, contents), entry.stateHash))
    return refused("wrong-state-hash");
  const devices = devicesAt(signer.accountId, listOf(signer));
  if (devices === undefined || !areKnown(entry, devicesAt)) return { kind: "waits" };
  if (!devices.some(({ identityKey }) => equalBytes(identityKey, signer.deviceKey)))
    return refused("signer-not-listed");
  if (!(yield* areGenuine({ signed, entry }, signer.deviceKey, before)))
    return refused("wrong-signature");
  return { kind: "state", state: { ...contents, groupId, version: entry.version, headHash } };
}

/** Undefined where it is none of this schema, or outside its limits. */
export function readGroupEntry(body: Uint8Array): GroupEntry | undefined {
  try {
    // Copied: what is kept of it must not hang on the frame that it came in.
    const entry = fromBinary(GroupEntrySchema, copyOf(body));
    validate(GroupEntrySchema, entry, "server");
    return entry;
  } catch {
    return undefined;
  }
}

function placeProblem(
  { groupId, before }: GroupGround,
  entry: GroupEntry,
  headHash: Uint8Array,
): GroupRefusal | undefined {
  if (before === undefined) {
    if (entry.groupId.length > 0 || !equalBytes(headHash, groupId)) return "other-group";
    if (entry.version !== 1) return "wrong-place";
    return entry.previousHash.length === 0 ? undefined : "wrong-previous-hash";
  }
  if (!equalBytes(entry.groupId, groupId)) return "other-group";
  if (entry.version !== before.version + 1) return "wrong-place";
  return equalBytes(entry.previousHash, before.headHash) ? undefined : "wrong-previous-hash";
}

/** A list that is nobody's would shut its account out for ever: no newer one could be quoted. */
function areKnown({ change, listsSeen }: GroupEntry, devicesAt: DevicesAt): boolean {
  const added = change?.change.case === "add" ? change.change.value.members : [];
  return [...added, ...listsSeen].every(
    (seen) => devicesAt(seen.accountId, listOf(seen)) !== undefined,
  );
}

function* areGenuine(
  { signed, entry }: ReadGroupEntry,
  deviceKey: Uint8Array,
  before: GroupState | undefined,
): Operation<boolean> {
  const { body, signature, inviteSignature } = signed;
  if (!(yield* isSignedBy(deviceKey, LABELS.groupEntry, { body, signature }))) return false;
  const change = entry.change?.change;
  if (change?.case !== "join") return inviteSignature.length === 0;
  const { inviteId } = change.value;
  const invite = before?.invites.find(({ id }) => equalBytes(id, inviteId));
  if (invite === undefined) return false;
  return yield* isSignedBy(invite.key, LABELS.groupJoin, { body, signature: inviteSignature });
}

/** A key that is none signs nothing. */
export function* isSignedBy(
  publicKey: Uint8Array,
  label: Label,
  { body, signature }: { readonly body: Uint8Array; readonly signature: Uint8Array },
): Operation<boolean> {
  try {
    return yield* ed25519Verify({ publicKey, message: labelled(label, body), signature });
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "invalid-key") return false;
    throw cause;
  }
}

function refused(reason: GroupRefusal): GroupStep {
  return { kind: "refused", reason };
}
