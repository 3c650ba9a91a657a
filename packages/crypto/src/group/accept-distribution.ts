import { create } from "@bufbuild/protobuf";
import {
  equalBytes,
  type KeyDistribution,
  type KeyDistributionAck,
  KeyDistributionAckSchema,
  type SenderKeyRecord,
  SenderKeyRecordSchema,
  type SenderKeyState,
  SenderKeyStateSchema,
} from "@parley/protocol";
import { montgomeryPart } from "../identity/device-keys.ts";
import { isSameDevice } from "../ratchet/addresses.ts";
import type { RemoteDevice } from "../ratchet/session-api.ts";
import { decodeDistribution, type SenderKeyDistribution } from "./sender-key-message.ts";

/** Chains that are kept of one distribution: libsignal's number (e2ee.md 2). */
export const SENDER_KEY_STATES_MAX = 5;

export type DistributionOutcome =
  /** Write the record, and answer with the ack: without it the sender's session never heals. */
  | {
      readonly kind: "accepted";
      readonly record: SenderKeyRecord;
      readonly ack: KeyDistributionAck;
    }
  /** Held already. Answered all the same: the first ack may be lost. */
  | { readonly kind: "repeat"; readonly ack: KeyDistributionAck }
  /** Nothing changes. */
  | { readonly kind: "refused"; readonly reason: DistributionRefusal };

export type DistributionRefusal =
  | "malformed"
  /** It says of itself that it is another device's than the one whose session it came over. */
  | "false-claim"
  /** This distribution of this group is bound to another device. */
  | "second-owner"
  /** Another chain under the id of one that is held. */
  | "chain-taken";

/**
 * Takes a distribution that came over the session with `from`. `record` is what is held for (its group,
 * its distribution id): from the first on, both are bound to that one device (trust.md 4).
 */
export function acceptDistribution(
  record: SenderKeyRecord | undefined,
  from: RemoteDevice,
  claimed: KeyDistribution,
): DistributionOutcome {
  if (!isSameDevice(claimed, from)) return refused("false-claim");
  const distribution = parse(claimed.distribution);
  if (distribution === undefined) return refused("malformed");
  const { distributionId, chainId, signingKey } = distribution;
  const held = record ?? newRecord(from, claimed.groupId, distributionId);
  if (!isBoundTo(held, from, claimed.groupId)) return refused("second-owner");
  if (!equalBytes(held.distributionId, distributionId)) return refused("second-owner");
  const ack = create(KeyDistributionAckSchema, { groupId: held.groupId, distributionId });
  const known = held.states.find((state) => state.chainId === chainId);
  // What is held is further on, or reaches further back: either way it is the better one.
  if (known !== undefined)
    return equalBytes(known.signingKey, signingKey)
      ? { kind: "repeat", ack }
      : refused("chain-taken");
  const states = [...held.states, newState(distribution)].slice(-SENDER_KEY_STATES_MAX);
  return { kind: "accepted", record: { ...held, states }, ack };
}

/** Whether a record is this very device's, in this group. */
export function isBoundTo(
  record: SenderKeyRecord,
  device: RemoteDevice,
  groupId: Uint8Array,
): boolean {
  return (
    isSameDevice(record, device) &&
    equalBytes(record.identity, device.identity) &&
    equalBytes(record.groupId, groupId)
  );
}

function parse(bytes: Uint8Array): SenderKeyDistribution | undefined {
  try {
    const distribution = decodeDistribution(bytes);
    montgomeryPart(distribution.signingKey);
    return distribution;
  } catch {
    return undefined;
  }
}

function newRecord(
  { accountId, deviceId, identity }: RemoteDevice,
  groupId: Uint8Array,
  distributionId: Uint8Array,
): SenderKeyRecord {
  return create(SenderKeyRecordSchema, { groupId, distributionId, accountId, deviceId, identity });
}

function newState({
  chainId,
  iteration,
  chainKey,
  signingKey,
}: SenderKeyDistribution): SenderKeyState {
  const start = iteration;
  return create(SenderKeyStateSchema, {
    chainId,
    signingKey,
    start,
    chainKey,
    counter: iteration,
  });
}

function refused(reason: DistributionRefusal): DistributionOutcome {
  return { kind: "refused", reason };
}
