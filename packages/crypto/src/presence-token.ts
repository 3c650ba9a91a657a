import { LABELS } from "./labels.ts";
import { hkdfSha256 } from "./primitives/hash.ts";
import { ascii } from "./primitives/text.ts";

export const PRESENCE_TOKEN_BYTES = 32;

/**
 * What a watcher of somebody's presence shows to the server, which keeps its hash (trust.md 10). The key is the
 * profile key, where everyone who holds it may see, or the contact key.
 */
export function presenceToken(key: Uint8Array): Uint8Array {
  return hkdfSha256({ ikm: key, info: ascii(LABELS.presenceToken), length: PRESENCE_TOKEN_BYTES });
}
