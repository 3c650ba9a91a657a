import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  copyOf,
  equalBytes,
  type SenderKeyRecord,
  SenderKeyRecordSchema,
  type SenderKeyState,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { verifyAsIdentity } from "../identity/device-keys.ts";
import type { Operation } from "../operation.ts";
import { aesCbcDecrypt } from "../primitives/cipher.ts";
import { type Address, isSameDevice } from "../ratchet/addresses.ts";
import type { RemoteDevice } from "../ratchet/session-api.ts";
import {
  FORWARD_JUMP_MAX,
  findSkipped,
  forwardTo,
  withoutSkipped,
} from "../ratchet/skipped-keys.ts";
import { isBoundTo } from "./accept-distribution.ts";
import { groupMessageKeys } from "./group-message-keys.ts";
import { decodeSenderKeyMessage, type ReadSenderKeyMessage } from "./sender-key-message.ts";

export interface GroupContext {
  /** The group whose log the message stood in, and the device that the log names. */
  readonly groupId: Uint8Array;
  readonly from: RemoteDevice;
  readonly nowMs: number;
}

/** Whom a group message's content names as its sender, and where. */
export interface GroupClaim extends Address {
  readonly groupId: Uint8Array;
}

export type GroupDecryption =
  | { readonly kind: "opened"; readonly message: OpenedGroupMessage }
  /** Its message key is used up: ask nothing. */
  | { readonly kind: "repeat" }
  /** Nothing changes. */
  | { readonly kind: "undecryptable"; readonly cause: GroupUndecryptableCause };

/**
 * A message that its key has opened. Text and record come out only with what the content says of its sender: where
 * that is not the device that the key is bound to, somebody passes off another's words (trust.md 4).
 */
export interface OpenedGroupMessage {
  /** `claimOf` reads the claim out of the content; undefined where it has none. */
  readonly checkedBy: (
    claimOf: (plaintext: Uint8Array) => GroupClaim | undefined,
  ) => GroupMessageOutcome;
}

export type GroupMessageOutcome =
  | {
      readonly kind: "plaintext";
      readonly plaintext: Uint8Array;
      /** Replaces the record that was given. */
      readonly record: SenderKeyRecord;
    }
  /** Nothing changes. */
  | { readonly kind: "false-claim" };

export type GroupUndecryptableCause =
  | "malformed"
  /** The key has not come yet: parked, and asked for (delivery.md 7). */
  | "no-sender-key"
  /** The key is bound to another device than the log names. */
  | "other-sender"
  | "not-authentic"
  /** Sent before this device was given the key: never meant for it. */
  | "before-distribution"
  | "too-far-ahead";

/** `record` is what is held for (the group, the message's `distributionIdOf`). */
export function* decryptFromGroup(
  record: SenderKeyRecord | undefined,
  context: GroupContext,
  ciphertext: Uint8Array,
): Operation<GroupDecryption> {
  const message = parse(ciphertext);
  if (message === undefined) return undecryptable("malformed");
  if (record === undefined) return undecryptable("no-sender-key");
  const { groupId, from, nowMs } = context;
  if (!isBoundTo(record, from, groupId)) return undecryptable("other-sender");
  if (!equalBytes(record.distributionId, message.distributionId))
    return undecryptable("other-sender");
  const state = record.states.find(({ chainId }) => chainId === message.chainId);
  if (state === undefined) return undecryptable("no-sender-key");
  // Before anything is stepped: so a forged iteration costs one verification.
  const { signed, signature } = message;
  if (!(yield* verifyAsIdentity({ identity: state.signingKey, message: signed, signature })))
    return undecryptable("not-authentic");
  const opened = open(state, message, nowMs);
  if (opened.kind !== "opened") return opened;
  const { plaintext } = opened;
  const states = record.states.map((each) => (each === state ? opened.state : each));
  const outcome = { kind: "plaintext", plaintext, record: { ...record, states } } as const;
  const checkedBy: OpenedGroupMessage["checkedBy"] = (claimOf) => {
    const claim = claimOf(plaintext);
    const holds =
      claim !== undefined && isSameDevice(claim, from) && equalBytes(claim.groupId, groupId);
    return holds ? outcome : { kind: "false-claim" };
  };
  return { kind: "opened", message: { checkedBy } };
}

type Opened =
  | { readonly kind: "opened"; readonly plaintext: Uint8Array; readonly state: SenderKeyState }
  | Exclude<GroupDecryption, { readonly kind: "opened" }>;

function open(state: SenderKeyState, message: ReadSenderKeyMessage, nowMs: number): Opened {
  const { iteration } = message;
  if (iteration < state.start) return undecryptable("before-distribution");
  if (iteration < state.counter) {
    const skipped = findSkipped(state, iteration);
    if (skipped === undefined) return { kind: "repeat" };
    return openWith(skipped.seed, message, withoutSkipped(state, iteration, nowMs));
  }
  if (iteration - state.counter > FORWARD_JUMP_MAX) return undecryptable("too-far-ahead");
  const { chain, seed } = forwardTo(state, iteration, nowMs);
  return openWith(seed, message, chain);
}

function openWith(
  seed: Uint8Array,
  { ciphertext }: ReadSenderKeyMessage,
  state: SenderKeyState,
): Opened {
  const { cipherKey, iv } = groupMessageKeys(seed);
  try {
    return { kind: "opened", plaintext: aesCbcDecrypt(cipherKey, iv, ciphertext), state };
  } catch {
    return undecryptable("malformed");
  }
}

export function encodeSenderKeyRecord(record: SenderKeyRecord): Uint8Array {
  return toBinary(SenderKeyRecordSchema, record);
}

/** Throws `malformed`. Copies: the record does not hang on the row that it came from. */
export function decodeSenderKeyRecord(bytes: Uint8Array): SenderKeyRecord {
  try {
    return fromBinary(SenderKeyRecordSchema, copyOf(bytes));
  } catch {
    throw new CryptoError("malformed", "not a sender key record");
  }
}

function parse(ciphertext: Uint8Array): ReadSenderKeyMessage | undefined {
  try {
    return decodeSenderKeyMessage(ciphertext);
  } catch {
    return undefined;
  }
}

function undecryptable(cause: GroupUndecryptableCause) {
  return { kind: "undecryptable", cause } as const;
}
