/**
 * Bytes that are kept for long, one character each: a string of 32 takes 48 bytes, an array of 32 takes more
 * than 300.
 */
export function compact(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

export function isCompact(kept: string, bytes: Uint8Array): boolean {
  return kept.length === bytes.length && kept === compact(bytes);
}
