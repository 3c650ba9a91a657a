import { create } from "@bufbuild/protobuf";
import { type PqRatchet, PqRatchetSchema } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { Operation } from "../operation.ts";
import type { RandomBytes } from "../ratchet/session-api.ts";
import { BraidError, braidReceive, braidSend, newBraid } from "./braid.ts";
import { type BraidMessage, encodeBraidMessage } from "./braid-message.ts";
import { firstChains, receivingKey, sendingKey, withEpoch } from "./epoch-chains.ts";

/**
 * The sparse post-quantum ratchet (Double Ratchet revision 4, section 5): a key for every message, from
 * secrets that the braid brings. It salts the message keys of the classic ratchet, so that whoever reads a
 * message has broken both.
 */
export function newPqRatchet(isInitiator: boolean, key: Uint8Array): PqRatchet {
  return create(PqRatchetSchema, {
    isInitiator,
    braid: newBraid(isInitiator, key),
    ...firstChains(isInitiator, key),
  });
}

export interface PqSent {
  readonly ratchet: PqRatchet;
  /** Field 5 of the message. */
  readonly message: Uint8Array;
  readonly key: Uint8Array;
}

/** RatchetSendKey (section 5.4). */
export function* pqSend(ratchet: PqRatchet, random: RandomBytes): Operation<PqSent> {
  const { braid, payload, emitted } = yield* braidSend(braidOf(ratchet), random);
  const grown = emitted === undefined ? ratchet : { ...ratchet, ...withEpoch(ratchet, emitted) };
  // The other side has certainly reached the epoch before the one that is being agreed on.
  const sent = sendingKey(grown.epochs, braid.epoch - 1n);
  if (sent === undefined) throw new CryptoError("misuse", "no epoch that can send");
  const { epochs, index, key } = sent;
  const message = encodeBraidMessage({ epoch: braid.epoch, index, payload });
  return { ratchet: { ...grown, braid, epochs }, message, key };
}

export type PqReceived =
  | { readonly kind: "key"; readonly ratchet: PqRatchet; readonly key: Uint8Array }
  | { readonly kind: "repeat" }
  | { readonly kind: "failed"; readonly cause: "not-authentic" | "too-far-ahead" };

/** RatchetReceiveKey (section 5.5). What it gives counts once the message has proved genuine. */
export function* pqReceive(
  ratchet: PqRatchet,
  message: BraidMessage,
  nowMs: number,
): Operation<PqReceived> {
  const { epoch, index, payload } = message;
  try {
    const { braid, emitted } = yield* braidReceive(braidOf(ratchet), epoch, payload);
    const grown = emitted === undefined ? ratchet : { ...ratchet, ...withEpoch(ratchet, emitted) };
    const taken = receivingKey(grown.epochs, { epoch: epoch - 1n, index }, nowMs);
    switch (taken.kind) {
      case "key":
        return {
          kind: "key",
          ratchet: { ...grown, braid, epochs: taken.epochs },
          key: taken.key,
        };
      case "repeat":
        return { kind: "repeat" };
      case "too-far-ahead":
        return { kind: "failed", cause: "too-far-ahead" };
      case "no-epoch":
        return { kind: "failed", cause: "not-authentic" };
    }
  } catch (cause) {
    if (cause instanceof BraidError) return { kind: "failed", cause: "not-authentic" };
    throw cause;
  }
}

/** How far the message's index lies ahead in its epoch; 0 where that has not begun here, or is over. */
export function pqStepsTo({ epochs }: PqRatchet, { epoch, index }: BraidMessage): number {
  const receiving = epochs.find((each) => each.epoch === epoch - 1n)?.receiving;
  return receiving === undefined ? 0 : index - receiving.counter;
}

function braidOf({ braid }: PqRatchet): NonNullable<PqRatchet["braid"]> {
  if (braid === undefined) throw new CryptoError("malformed", "a ratchet without its braid");
  return braid;
}
