import {
  type AccountHead,
  type Envelope,
  ErrorCode,
  equalBytes,
  ProtocolError,
} from "@parley/protocol";
import type { Account, ChainHead } from "../ports/account-store.ts";

const HEAD_HASH_BYTES = 16;

/** As heads travel: with the first half of the hash. */
export function wireHead({ era, version, hash }: ChainHead) {
  return { era, version, hash: hash.subarray(0, HEAD_HASH_BYTES) };
}

export function isHeadOf(account: Account, head: AccountHead | undefined): boolean {
  const ours = wireHead(account.head);
  return (
    head !== undefined &&
    head.era === ours.era &&
    head.version === ours.version &&
    equalBytes(head.hash, ours.hash)
  );
}

export interface Named {
  readonly envelopes: readonly Envelope[];
  readonly leftOut: readonly number[];
}

/** Under the right head a sender knows the devices: each gets one envelope, or is named as left out. */
export function requireEveryDevice(deviceIds: readonly number[], { envelopes, leftOut }: Named) {
  const named = [...envelopes.map((envelope) => envelope.destinationDevice), ...leftOut];
  const isExact =
    named.length === deviceIds.length &&
    new Set(named).size === named.length &&
    named.every((deviceId) => deviceIds.includes(deviceId));
  if (!isExact)
    throw new ProtocolError(
      ErrorCode.INVALID_REQUEST,
      "each device is to be named once: with an envelope, or as left out",
    );
}
