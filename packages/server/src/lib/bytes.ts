/**
 * What stands on the way of every message, by Node's own means: a third of the price of code that any runtime
 * could run.
 */

/** For bytes that are written at once and whole; small ones share a slab. */
export const allocate = (byteCount: number): Uint8Array => Buffer.allocUnsafe(byteCount);

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Of hex that this server made itself. */
export const bytesOfHex = (hex: string): Uint8Array => Buffer.from(hex, "hex");
