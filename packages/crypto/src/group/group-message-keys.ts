import { hkdfSha256 } from "../primitives/hash.ts";
import { ascii } from "../primitives/text.ts";

export interface GroupMessageKeys {
  readonly iv: Uint8Array;
  /** AES-256-CBC. */
  readonly cipherKey: Uint8Array;
}

/** The keys of one group message: HKDF of the chain's seed, as libsignal cuts them (e2ee.md 2). */
export function groupMessageKeys(seed: Uint8Array): GroupMessageKeys {
  const keys = hkdfSha256({ ikm: seed, info: GROUP_INFO, length: 48 });
  return { iv: keys.slice(0, 16), cipherKey: keys.slice(16) };
}

const GROUP_INFO = ascii("WhisperGroup");
