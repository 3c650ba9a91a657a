import { CryptoError } from "../crypto-error.ts";
import { unpadContent } from "../padding.ts";

/** Undefined where the padding is off: genuine, but no content of ours. */
export function unpadded(plaintext: Uint8Array): Uint8Array | undefined {
  try {
    return unpadContent(plaintext);
  } catch (cause) {
    if (cause instanceof CryptoError) return undefined;
    throw cause;
  }
}
