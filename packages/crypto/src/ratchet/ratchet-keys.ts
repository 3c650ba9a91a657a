import { hkdfSha256 } from "../primitives/hash.ts";
import { ShortHmac } from "../primitives/short-hmac.ts";
import { ascii } from "../primitives/text.ts";

export interface RootStep {
  readonly rootKey: Uint8Array;
  readonly chainKey: Uint8Array;
}

/** KDF_RK (Double Ratchet section 7.2): HKDF, the root key as salt. */
export function rootStep(rootKey: Uint8Array, dhOutput: Uint8Array): RootStep {
  const keys = hkdfSha256({ salt: rootKey, ikm: dhOutput, info: ROOT_INFO, length: 64 });
  return { rootKey: keys.slice(0, 32), chainKey: keys.slice(32) };
}

export interface ChainStep {
  readonly nextChainKey: Uint8Array;
  /** Input of the message keys. */
  readonly seed: Uint8Array;
}

/** KDF_CK (Double Ratchet section 7.2): HMAC(ck, 01) for the message, HMAC(ck, 02) for the chain. */
export function chainStep(chainKey: Uint8Array): ChainStep {
  const keyed = new ShortHmac(chainKey);
  const seed = keyed.digest(MESSAGE_CONSTANT);
  const nextChainKey = keyed.digest(CHAIN_CONSTANT);
  return { nextChainKey, seed };
}

export interface MessageKeys {
  /** AES-256-CBC. */
  readonly cipherKey: Uint8Array;
  readonly macKey: Uint8Array;
  readonly iv: Uint8Array;
}

/**
 * ENCRYPT's keys (Double Ratchet section 7.2). The salt is the post-quantum ratchet's key for this message
 * (section 7.4 of revision 4, the Triple Ratchet); none without it.
 */
export function messageKeys(seed: Uint8Array, pqKey: Uint8Array | undefined): MessageKeys {
  const keys = hkdfSha256({ salt: pqKey, ikm: seed, info: MESSAGE_INFO, length: 80 });
  return { cipherKey: keys.slice(0, 32), macKey: keys.slice(32, 64), iv: keys.slice(64) };
}

const ROOT_INFO = ascii("WhisperRatchet");
const MESSAGE_INFO = ascii("WhisperMessageKeys");
const MESSAGE_CONSTANT = Uint8Array.of(0x01);
const CHAIN_CONSTANT = Uint8Array.of(0x02);
