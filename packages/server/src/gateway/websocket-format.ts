/** RFC 6455 as far as this server speaks it: binary messages, ping, pong, close; no extensions. */
export const OPCODE = {
  CONTINUATION: 0x0,
  TEXT: 0x1,
  BINARY: 0x2,
  CLOSE: 0x8,
  PING: 0x9,
  PONG: 0xa,
} as const;

export const FIN = 0x80;
export const RESERVED_BITS = 0x70;
export const OPCODE_BITS = 0x0f;
export const MASKED = 0x80;
export const LENGTH_BITS = 0x7f;
/** In place of a length: two, or eight bytes of it follow (section 5.2). */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
/** Section 5.5. */
export const CONTROL_BYTES_MAX = 125;

/** Section 7.4.1. */
export const STANDARD_CLOSE = {
  PROTOCOL_ERROR: 1002,
  /** Never on the wire: a close frame without a code. */
  NO_CODE: 1005,
  INVALID_TEXT: 1007,
  TOO_LONG: 1009,
} as const;

/** The other side broke the format, or a limit: the connection ends with this code. */
export class FramingError extends Error {
  override readonly name = "FramingError";
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** What a peer may put into a close frame (section 7.4). */
export function isCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}

/** Section 5.3, from `source` at `from` into `target` at `to`, where the key's turn is at `phase`. */
export interface Unmasking {
  readonly source: Uint8Array;
  readonly from: number;
  readonly length: number;
  readonly target: Uint8Array;
  readonly to: number;
  /** The four bytes of the key, the first one lowest. */
  readonly key: number;
  readonly phase: number;
}

export function unmask({ source, from, length, target, to, key, phase }: Unmasking): void {
  const turned = rotated(key, phase);
  const [k0, k1, k2, k3] = [
    turned & 0xff,
    (turned >>> 8) & 0xff,
    (turned >>> 16) & 0xff,
    turned >>> 24,
  ];
  const shift = to - from;
  const end = from + length;
  let at = from;
  for (; at + 4 <= end; at += 4) {
    target[at + shift] = (source[at] as number) ^ k0;
    target[at + shift + 1] = (source[at + 1] as number) ^ k1;
    target[at + shift + 2] = (source[at + 2] as number) ^ k2;
    target[at + shift + 3] = (source[at + 3] as number) ^ k3;
  }
  if (at < end) target[at + shift] = (source[at] as number) ^ k0;
  if (at + 1 < end) target[at + shift + 1] = (source[at + 1] as number) ^ k1;
  if (at + 2 < end) target[at + shift + 2] = (source[at + 2] as number) ^ k2;
}

function rotated(key: number, phase: number): number {
  const bits = (phase & 3) * 8;
  return bits === 0 ? key >>> 0 : ((key >>> bits) | (key << (32 - bits))) >>> 0;
}
