import { create } from "@bufbuild/protobuf";
import {
  concatBytes,
  type PqChain,
  PqChainSchema,
  type PqEpoch,
  PqEpochSchema,
  type PqRatchet,
} from "@parley/protocol";
import { hkdfSha256 } from "../primitives/hash.ts";
import { ascii, uint32Bytes } from "../primitives/text.ts";
import { FORWARD_JUMP_MAX, SKIPPED_KEY_LIFETIME_MS } from "../ratchet/skipped-keys.ts";

/** Message keys by epoch and index: two chains an epoch, one for each direction (Double Ratchet section 5.3). */
const START = ascii("Signal PQ Ratchet V1 Chain  Start");
const NEXT = ascii("Signal PQ Ratchet V1 Chain Next");
const ADD_EPOCH = ascii("Signal PQ Ratchet V1 Chain Add Epoch");
const ZEROS = new Uint8Array(32);
/**
 * An epoch takes at least 70 messages, so late ones of the epochs before are months old in a quiet chat; the
 * skipped keys of classic chains reach no further either.
 */
const EPOCHS_MAX = 4;

type Chains = Pick<PqRatchet, "nextRoot" | "epochs">;

/** KDF_SCKA_INIT, epoch 0. */
export function firstChains(isInitiator: boolean, key: Uint8Array): Chains {
  const keys = hkdfSha256({ salt: ZEROS, ikm: key, info: START, length: 96 });
  return { nextRoot: keys.slice(0, 32), epochs: [epochOf(0n, isInitiator, keys)] };
}

/** KDF_SCKA_RK: a secret that the braid has brought begins its epoch. */
export function withEpoch(
  { nextRoot, epochs, isInitiator }: PqRatchet,
  { epoch, secret }: { readonly epoch: bigint; readonly secret: Uint8Array },
): Chains {
  const keys = hkdfSha256({ salt: nextRoot, ikm: secret, info: ADD_EPOCH, length: 96 });
  const all = [...epochs, epochOf(epoch, isInitiator, keys)];
  return { nextRoot: keys.slice(0, 32), epochs: all.slice(-EPOCHS_MAX) };
}

export interface SentKey {
  readonly epochs: PqEpoch[];
  readonly index: number;
  readonly key: Uint8Array;
}

/** The next message key of that epoch. What sends in an earlier one is done. */
export function sendingKey(epochs: readonly PqEpoch[], sendingEpoch: bigint): SentKey | undefined {
  const sending = epochs.find(({ epoch }) => epoch === sendingEpoch)?.sending;
  if (sending === undefined) return undefined;
  const { chain, key } = stepped(sending);
  const next = epochs.map((each): PqEpoch => {
    if (each.epoch === sendingEpoch) return { ...each, sending: chain };
    if (each.epoch > sendingEpoch || each.sending === undefined) return each;
    const { sending: _done, ...rest } = each;
    return rest;
  });
  return { epochs: next, index: chain.counter, key };
}

export type ReceivedKey =
  | { readonly kind: "key"; readonly epochs: PqEpoch[]; readonly key: Uint8Array }
  | { readonly kind: "repeat" }
  | { readonly kind: "too-far-ahead" }
  /** Its epoch has not begun here, or is long over. */
  | { readonly kind: "no-epoch" };

/** The message key at that index, each once. */
export function receivingKey(
  epochs: readonly PqEpoch[],
  at: { readonly epoch: bigint; readonly index: number },
  nowMs: number,
): ReceivedKey {
  const receiving = epochs.find(({ epoch }) => epoch === at.epoch)?.receiving;
  if (receiving === undefined) return { kind: "no-epoch" };
  const taken = taking(receiving, at.index, nowMs);
  if (typeof taken === "string") return { kind: taken };
  const { chain, key } = taken;
  const next = epochs.map((each) =>
    each.epoch === at.epoch ? { ...each, receiving: chain } : each,
  );
  return { kind: "key", epochs: next, key };
}

function taking(
  chain: PqChain,
  index: number,
  nowMs: number,
): { chain: PqChain; key: Uint8Array } | "repeat" | "too-far-ahead" {
  if (index <= chain.counter) {
    const found = chain.skipped.find(({ counter }) => counter === index);
    if (found === undefined) return "repeat";
    return {
      chain: { ...chain, skipped: chain.skipped.filter((each) => each !== found) },
      key: found.key,
    };
  }
  // So many would be passed over.
  if (index - chain.counter - 1 > FORWARD_JUMP_MAX) return "too-far-ahead";
  const oldest = BigInt(nowMs - SKIPPED_KEY_LIFETIME_MS);
  const skipped = chain.skipped.filter(({ storedAtMs }) => storedAtMs > oldest);
  const atMs = BigInt(nowMs);
  let step = chainStep(chain.key, chain.counter + 1);
  for (let counter = chain.counter + 1; counter < index; counter++) {
    const { key } = step;
    skipped.push({ $typeName: "parley.crypto.v1.PqSkippedKey", counter, key, storedAtMs: atMs });
    step = chainStep(step.nextChainKey, counter + 1);
  }
  const { nextChainKey, key } = step;
  const kept = skipped.slice(-FORWARD_JUMP_MAX);
  return { chain: { ...chain, key: nextChainKey, counter: index, skipped: kept }, key };
}

function stepped(chain: PqChain): { chain: PqChain; key: Uint8Array } {
  const counter = chain.counter + 1;
  const { nextChainKey, key } = chainStep(chain.key, counter);
  return { chain: { ...chain, counter, key: nextChainKey }, key };
}

/** KDF_SCKA_CK. Indices begin with 1. */
function chainStep(chainKey: Uint8Array, counter: number) {
  const info = concatBytes(uint32Bytes(counter), NEXT);
  // No salt is one of zeros (RFC 5869 section 2.2).
  const keys = hkdfSha256({ ikm: chainKey, info, length: 64 });
  return { nextChainKey: keys.slice(0, 32), key: keys.slice(32) };
}

/** The initiator sends on the first of the two chains. */
function epochOf(epoch: bigint, isInitiator: boolean, keys: Uint8Array): PqEpoch {
  const first = create(PqChainSchema, { key: keys.slice(32, 64) });
  const second = create(PqChainSchema, { key: keys.slice(64) });
  const [sending, receiving] = isInitiator ? [first, second] : [second, first];
  return create(PqEpochSchema, { epoch, sending, receiving });
}
