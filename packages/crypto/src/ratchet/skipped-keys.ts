import type { SkippedKey } from "@parley/protocol";
import { chainStep } from "./ratchet-keys.ts";

/** Keys kept for messages that have not come, per chain: libsignal's number (e2ee.md 2). */
export const SKIPPED_KEYS_MAX = 2000;
/**
 * How far a counter may jump in one message. Each step costs two HMACs before anything is authenticated, so
 * this bounds what a forged counter costs; libsignal's 25,000 would cost a second (e2ee.md 4).
 */
export const FORWARD_JUMP_MAX = 2000;
/** As long as a mail may come late (trust.md 6). */
export const SKIPPED_KEY_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

/** What a chain of keys needs to be stepped: a ratchet's and a sender key's alike. */
export interface SteppedChain {
  readonly chainKey: Uint8Array;
  /** Of the next message. */
  readonly counter: number;
  readonly skipped: readonly SkippedKey[];
}

export interface ForwardedChain<Chain> {
  readonly chain: Chain;
  /** Of the message itself. */
  readonly seed: Uint8Array;
}

/** Steps a chain to a counter at or above its own, and past it, keeping the keys that it passes. */
export function forwardTo<Chain extends SteppedChain>(
  chain: Chain,
  counter: number,
  nowMs: number,
): ForwardedChain<Chain> {
  const skipped = withoutExpired(chain.skipped, nowMs);
  const storedAtMs = BigInt(nowMs);
  let step = chainStep(chain.chainKey);
  for (let at = chain.counter; at < counter; at++) {
    skipped.push(skippedKey(at, step.seed, storedAtMs));
    step = chainStep(step.nextChainKey);
  }
  if (skipped.length > SKIPPED_KEYS_MAX) skipped.splice(0, skipped.length - SKIPPED_KEYS_MAX);
  const { nextChainKey: chainKey, seed } = step;
  return { chain: { ...chain, chainKey, counter: counter + 1, skipped }, seed };
}

export function findSkipped(chain: SteppedChain, counter: number): SkippedKey | undefined {
  return chain.skipped.find((key) => key.counter === counter);
}

/** A key is used once. */
export function withoutSkipped<Chain extends SteppedChain>(
  chain: Chain,
  counter: number,
  nowMs: number,
): Chain {
  const skipped = withoutExpired(chain.skipped, nowMs).filter((key) => key.counter !== counter);
  return { ...chain, skipped };
}

/** Oldest first, so what has expired stands in front. Always a new list. */
function withoutExpired(skipped: readonly SkippedKey[], nowMs: number): SkippedKey[] {
  const oldest = BigInt(nowMs - SKIPPED_KEY_LIFETIME_MS);
  const firstKept = skipped.findIndex((key) => key.storedAtMs >= oldest);
  return firstKept < 0 ? [] : skipped.slice(firstKept);
}

function skippedKey(counter: number, seed: Uint8Array, storedAtMs: bigint): SkippedKey {
  return { $typeName: "parley.crypto.v1.SkippedKey", counter, seed, storedAtMs };
}
