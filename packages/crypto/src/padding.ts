import { CryptoError } from "./crypto-error.ts";
import { padme } from "./primitives/padme.ts";

/** AES-CBC adds at least this much, so a padded size one below a multiple of 16 costs no block more. */
const CBC_BYTE = 1;
const FIRST_SIZE = 256;
const STEP = 128;
const STEPPED_MAX = 1280;
const MARK = 0x80;

/** While a live or profile key rides in the wrapper, so that sizes do not tell receipts from texts. */
export const PADDED_WITH_KEYS_BYTES_MIN = 383;

/**
 * Content || 0x80 || zeros, to 255, 383, … 1,279 bytes, and above to Padmé's sizes less one
 * (trust.md 9; Padmé: https://lbarman.ch/blog/padme/).
 */
export function padContent(content: Uint8Array, options: { atLeast?: number } = {}): Uint8Array {
  const size = paddedSize(Math.max(content.length + 1, options.atLeast ?? 0));
  const padded = new Uint8Array(size);
  padded.set(content);
  padded[content.length] = MARK;
  return padded;
}

/** Throws `malformed` unless the last byte that is not zero is 0x80. */
export function unpadContent(padded: Uint8Array): Uint8Array {
  let markAt = -1;
  // Always the whole of it, from the end: the time says nothing about where the mark stands.
  for (let i = padded.length - 1; i >= 0; i--) if (markAt < 0 && padded[i] !== 0) markAt = i;
  if (markAt < 0 || padded[markAt] !== MARK)
    throw new CryptoError("malformed", "content without its padding");
  return padded.subarray(0, markAt);
}

function paddedSize(atLeast: number): number {
  const withCbc = atLeast + CBC_BYTE;
  if (withCbc <= FIRST_SIZE) return FIRST_SIZE - CBC_BYTE;
  if (withCbc <= STEPPED_MAX) return Math.ceil(withCbc / STEP) * STEP - CBC_BYTE;
  return padme(withCbc) - CBC_BYTE;
}
