import { FIN, LENGTH_16, LENGTH_64, OPCODE } from "./websocket-format.ts";

const HEADER_BYTES_MAX = 10;

/** One binary message, whole: its header into `target` at `at`. Returns where the payload goes. */
export function writeHeader(target: Uint8Array, at: number, length: number): number {
  return header(target, at, { opcode: OPCODE.BINARY, length });
}

export function headerBytes(length: number): number {
  return length < LENGTH_16 ? 2 : length <= 0xffff ? 4 : HEADER_BYTES_MAX;
}

/** A whole control frame: at most 125 bytes of payload. */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + payload.length);
  bytes.set(payload, header(bytes, 0, { opcode, length: payload.length }));
  return bytes;
}

/** `reason`: ASCII, at most 123 characters. */
export function closeFrame(code: number, reason: string): Uint8Array {
  const payload = Buffer.allocUnsafe(2 + reason.length);
  payload.writeUInt16BE(code);
  payload.write(reason, 2, "latin1");
  return controlFrame(OPCODE.CLOSE, payload);
}

/** All of them in one piece, ready to be written. */
export function joined(messages: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const { length } of messages) size += headerBytes(length) + length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const message of messages) {
    at = writeHeader(bytes, at, message.length);
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

function header(
  target: Uint8Array,
  at: number,
  { opcode, length }: { opcode: number; length: number },
): number {
  target[at] = FIN | opcode;
  if (length < LENGTH_16) {
    target[at + 1] = length;
    return at + 2;
  }
  if (length <= 0xffff) {
    target[at + 1] = LENGTH_16;
    target[at + 2] = length >>> 8;
    target[at + 3] = length;
    return at + 4;
  }
  target[at + 1] = LENGTH_64;
  target.fill(0, at + 2, at + 6); // No message has 4 GiB.
  target[at + 6] = length >>> 24;
  target[at + 7] = length >>> 16;
  target[at + 8] = length >>> 8;
  target[at + 9] = length;
  return at + HEADER_BYTES_MAX;
}
