/** What comes whole: the payload stands in `bytes` from `start` to `end`, and is gone after the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Cuts what a server sends into frames (RFC 6455 section 5.2). Our servers neither mask nor fragment, so a
 * frame is a message; anything else is refused.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const start = startOf(bytes, at);
      const end = start === undefined ? undefined : start + lengthOf(bytes, at);
      if (start === undefined || end === undefined || end > bytes.length) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      const first = bytes[at] as number;
      if ((first & 0xf0) !== 0x80) throw new Error("a fragment, or an extension");
      this.#onFrame(first & 0x0f, bytes, start, end);
      at = end;
    }
  }
}

/** Undefined: the head is not complete. */
function startOf(bytes: Buffer, at: number): number | undefined {
  if (at + 2 > bytes.length) return undefined;
  const short = bytes[at + 1] as number;
  if (short > 127) throw new Error("a server does not mask");
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  return start > bytes.length ? undefined : start;
}

function lengthOf(bytes: Buffer, at: number): number {
  const short = bytes[at + 1] as number;
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}
