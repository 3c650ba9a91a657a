import {
  copyOf,
  equalBytes,
  type PqRatchet,
  type ReceivingChain,
  type SessionState,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { curveKey, montgomeryPart } from "../identity/device-keys.ts";
import { type Operation, x25519, x25519PublicKey } from "../operation.ts";
import { aesCbcDecrypt, aesCbcEncrypt } from "../primitives/cipher.ts";
import { type BraidMessage, decodeBraidMessage } from "../spqr/braid-message.ts";
import { pqReceive, pqSend, pqStepsTo } from "../spqr/pq-ratchet.ts";
import { chainStep, messageKeys, type RootStep, rootStep } from "./ratchet-keys.ts";
import type { RandomBytes } from "./session-api.ts";
import { encodeSignalMessage, isGenuine, type ReadSignalMessage } from "./signal-message.ts";
import { FORWARD_JUMP_MAX, findSkipped, forwardTo, withoutSkipped } from "./skipped-keys.ts";
import { rememberSpent, spentBelow } from "./spent-chains.ts";

/** Receiving chains that are kept, newest last: libsignal's number (e2ee.md 2). */
export const RECEIVING_CHAINS_MAX = 5;

/** A session that can send. */
export type SendingState = SessionState & {
  readonly sending: NonNullable<SessionState["sending"]>;
  readonly pqRatchet: NonNullable<SessionState["pqRatchet"]>;
};

export interface Sent {
  readonly state: SendingState;
  /** The bytes of a SignalMessage. */
  readonly message: Uint8Array;
}

export interface Sending {
  readonly plaintext: Uint8Array;
  readonly addresses: Uint8Array | undefined;
  readonly random: RandomBytes;
}

/** RatchetSendKey and ENCRYPT (Double Ratchet sections 3.4 and 6.4: the Triple Ratchet). */
export function* ratchetSend(
  state: SendingState,
  { plaintext, addresses, random }: Sending,
): Operation<Sent> {
  const { sending } = state;
  if (sending.counter === COUNTER_MAX) throw new CryptoError("misuse", "the sending chain is full");
  const { nextChainKey, seed } = chainStep(sending.chainKey);
  const pq = yield* pqSend(state.pqRatchet, random);
  const keys = messageKeys(seed, pq.key);
  const message = encodeSignalMessage(
    {
      ratchetKey: sending.ratchetPublic,
      counter: sending.counter,
      previousCounter: state.previousCounter,
      ciphertext: aesCbcEncrypt(keys.cipherKey, keys.iv, plaintext),
      pqRatchet: pq.message,
      addresses,
    },
    {
      key: keys.macKey,
      senderIdentity: state.localIdentity,
      receiverIdentity: state.remoteIdentity,
    },
  );
  const next = { ...sending, chainKey: nextChainKey, counter: sending.counter + 1 };
  return { state: { ...state, sending: next, pqRatchet: pq.ratchet }, message };
}

export type Received =
  | { readonly kind: "read"; readonly state: SessionState; readonly plaintext: Uint8Array }
  | { readonly kind: "repeat" }
  | {
      readonly kind: "failed";
      readonly cause: "not-authentic" | "too-far-ahead" | "malformed";
    };

export interface ReceiveInput {
  readonly message: ReadSignalMessage;
  readonly nowMs: number;
  readonly random: RandomBytes;
}

/** Whether this session has met the message's ratchet key: then no other session can read it. */
export function knowsRatchetKey(state: SessionState, ratchetKey: Uint8Array): boolean {
  return (
    chainOf(state, ratchetKey) !== undefined ||
    spentBelow(state.spentChains, ratchetKey) !== undefined
  );
}

/** Steps of its key chains that reading it would take, before anything is authenticated; 0 where it jumps too far. */
export function stepsToRead(state: SessionState, message: ReadSignalMessage): number {
  const braid = braidOf(message);
  if (braid === undefined || state.pqRatchet === undefined) return 0;
  const classic = message.counter - (chainOf(state, message.ratchetKey)?.counter ?? 0);
  const postQuantum = pqStepsTo(state.pqRatchet, braid);
  if (classic > FORWARD_JUMP_MAX || postQuantum > FORWARD_JUMP_MAX) return 0;
  return Math.max(0, classic) + Math.max(0, postQuantum);
}

/** RatchetReceiveKey and DECRYPT (Double Ratchet section 3.5). The state that is given never changes. */
export function* ratchetReceive(state: SessionState, given: ReceiveInput): Operation<Received> {
  const { message } = given;
  const braid = braidOf(message);
  if (braid === undefined || state.pqRatchet === undefined) return failed("malformed");
  const input = { ...given, braid };
  const chain = chainOf(state, message.ratchetKey);
  if (chain !== undefined) return yield* receiveOn(state, chain, input);
  const usedBelow = spentBelow(state.spentChains, message.ratchetKey);
  if (usedBelow !== undefined)
    return message.counter < usedBelow ? { kind: "repeat" } : failed("not-authentic");
  return yield* receiveOnNewChain(state, input);
}

/** No message is read without the post-quantum ratchet: there is nothing to fall back to. */
function braidOf({ pqRatchet }: ReadSignalMessage): BraidMessage | undefined {
  if (pqRatchet === undefined) return undefined;
  try {
    return decodeBraidMessage(pqRatchet);
  } catch {
    return undefined;
  }
}

interface BraidedInput extends ReceiveInput {
  readonly braid: BraidMessage;
}

const COUNTER_MAX = 0xffff_ffff;

function* receiveOn(
  state: SessionState,
  chain: ReceivingChain,
  input: BraidedInput,
): Operation<Received> {
  const { message, nowMs } = input;
  const { counter } = message;
  if (counter < chain.counter) {
    const skipped = findSkipped(chain, counter);
    if (skipped === undefined) return { kind: "repeat" };
    const opened = yield* open(state, input, skipped.seed);
    if (opened.kind !== "opened") return opened;
    return read(replaceChain(state, withoutSkipped(chain, counter, nowMs)), opened, nowMs);
  }
  if (counter - chain.counter > FORWARD_JUMP_MAX) return failed("too-far-ahead");
  const forwarded = forwardTo(chain, counter, nowMs);
  const opened = yield* open(state, input, forwarded.seed);
  if (opened.kind !== "opened") return opened;
  return read(replaceChain(state, forwarded.chain), opened, nowMs);
}

/** DHRatchet (Double Ratchet section 3.5): our new ratchet key is made once the message has proved genuine. */
function* receiveOnNewChain(state: SessionState, input: BraidedInput): Operation<Received> {
  const { message, nowMs } = input;
  const { sending } = state;
  if (sending === undefined) return failed("not-authentic");
  if (message.counter > FORWARD_JUMP_MAX) return failed("too-far-ahead");
  let step: RootStep;
  let remote: Uint8Array;
  try {
    remote = montgomeryPart(message.ratchetKey);
    step = rootStep(state.rootKey, yield* x25519(sending.ratchetPrivate, remote));
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "invalid-key") return failed("malformed");
    throw cause;
  }
  const fresh = newChain(message.ratchetKey, step.chainKey);
  const { chain, seed } = forwardTo(fresh, message.counter, nowMs);
  const opened = yield* open(state, input, seed);
  if (opened.kind !== "opened") return opened;
  const ratchetPrivate = input.random(32);
  const turned = yield* newSendingChain({ ratchetPrivate, remote, rootKey: step.rootKey });
  const received: SessionState = {
    ...addChain(state, chain),
    ...turned,
    // As libsignal counts it: the last counter that was used, 0 also where none was.
    previousCounter: Math.max(0, sending.counter - 1),
  };
  return read(received, opened, nowMs);
}

export interface RatchetTurn {
  /** 32 random bytes. */
  readonly ratchetPrivate: Uint8Array;
  /** The other side's ratchet key, 32 bytes u. */
  readonly remote: Uint8Array;
  readonly rootKey: Uint8Array;
}

/** The sending half of DHRatchet. */
export function* newSendingChain(
  turn: RatchetTurn,
): Operation<Pick<SendingState, "rootKey" | "sending">> {
  const { ratchetPrivate, remote } = turn;
  const ratchetPublic = curveKey(yield* x25519PublicKey(ratchetPrivate));
  const { rootKey, chainKey } = rootStep(turn.rootKey, yield* x25519(ratchetPrivate, remote));
  const sending = {
    $typeName: "parley.crypto.v1.SendingChain" as const,
    ratchetPrivate,
    ratchetPublic,
    chainKey,
    counter: 0,
  };
  return { rootKey, sending };
}

interface Opened {
  readonly kind: "opened";
  readonly plaintext: Uint8Array;
  readonly pqRatchet: PqRatchet;
}

/** Fails where the MAC does not hold, or what it holds is no padded text. */
function* open(
  state: SessionState,
  { message, braid, nowMs }: BraidedInput,
  seed: Uint8Array,
): Operation<Opened | Extract<Received, { kind: "failed" }>> {
  const pq = yield* pqReceive(state.pqRatchet as PqRatchet, braid, nowMs);
  // A key that is used up in one ratchet only is nobody's honest message.
  if (pq.kind !== "key") return failed(pq.kind === "repeat" ? "not-authentic" : pq.cause);
  const keys = messageKeys(seed, pq.key);
  const mac = {
    key: keys.macKey,
    senderIdentity: state.remoteIdentity,
    receiverIdentity: state.localIdentity,
  };
  if (!isGenuine(message, mac)) return failed("not-authentic");
  try {
    const plaintext = aesCbcDecrypt(keys.cipherKey, keys.iv, message.ciphertext);
    return { kind: "opened", plaintext, pqRatchet: pq.ratchet };
  } catch {
    return failed("not-authentic");
  }
}

function read(state: SessionState, { plaintext, pqRatchet }: Opened, nowMs: number): Received {
  const { pendingPrekey: _answered, ...rest } = state;
  const after = { ...rest, pqRatchet, lastReceivedAtMs: BigInt(nowMs) };
  return { kind: "read", state: after, plaintext };
}

function chainOf(state: SessionState, ratchetKey: Uint8Array): ReceivingChain | undefined {
  return state.receiving.find((chain) => equalBytes(chain.ratchetPublic, ratchetKey));
}

function newChain(ratchetKey: Uint8Array, chainKey: Uint8Array): ReceivingChain {
  return {
    $typeName: "parley.crypto.v1.ReceivingChain",
    ratchetPublic: copyOf(ratchetKey),
    chainKey,
    counter: 0,
    skipped: [],
  };
}

function replaceChain(state: SessionState, chain: ReceivingChain): SessionState {
  const receiving = state.receiving.map((each) =>
    equalBytes(each.ratchetPublic, chain.ratchetPublic) ? chain : each,
  );
  return { ...state, receiving };
}

function addChain(state: SessionState, chain: ReceivingChain): SessionState {
  const receiving = [...state.receiving, chain];
  let { spentChains } = state;
  while (receiving.length > RECEIVING_CHAINS_MAX)
    spentChains = rememberSpent(spentChains, receiving.shift() as ReceivingChain);
  return { ...state, receiving, spentChains };
}

function failed(
  cause: "not-authentic" | "too-far-ahead" | "malformed",
): Extract<Received, { kind: "failed" }> {
  return { kind: "failed", cause };
}
