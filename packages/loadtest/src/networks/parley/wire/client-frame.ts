/** RFC 6455 section 5.2: the opcodes that we meet. */
export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const MASK_KEY_BYTES = 4;

/**
 * A whole message from a client, masked as section 5.3 wants it. Where the payload begins in the result is a
 * multiple of nothing: use `payloadOffset` to change bytes in place.
 */
export function clientFrame(
  opcode: number,
  payload: Uint8Array,
  maskKey: Uint8Array,
): Buffer<ArrayBuffer> {
  const head = payloadOffset(payload.length) - MASK_KEY_BYTES;
  const frame = Buffer.allocUnsafe(head + MASK_KEY_BYTES + payload.length);
  frame[0] = 0x80 | opcode;
  if (head === 2) frame[1] = 0x80 | payload.length;
  else if (head === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  frame.set(maskKey, head);
  frame.set(payload, head + MASK_KEY_BYTES);
  mask(frame.subarray(head + MASK_KEY_BYTES), maskKey);
  return frame;
}

/** Where the payload stands in a client's frame. */
export function payloadOffset(payloadBytes: number): number {
  if (payloadBytes < 126) return 2 + MASK_KEY_BYTES;
  return (payloadBytes < 65_536 ? 4 : 10) + MASK_KEY_BYTES;
}

function mask(payload: Uint8Array, key: Uint8Array): void {
  for (let i = 0; i < payload.length; i++)
    payload[i] = (payload[i] as number) ^ (key[i & 3] as number);
}
