const ACK_REQUEST_FIELD = 5;
const [UP_TO_ORDINAL, STATE_NUMBER] = [1 << 3, 2 << 3];

/** ClientFrame {ack {up to ordinal, state number}}; a test holds it against the generated codec. */
export function ack(upToOrdinal: number): Uint8Array {
  const body = [UP_TO_ORDINAL, ...varint(upToOrdinal), STATE_NUMBER, 1];
  return Uint8Array.of((ACK_REQUEST_FIELD << 3) | 2, body.length, ...body);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
