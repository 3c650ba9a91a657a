/**
 * What carries whole frames to one client, in order, until it is closed: a WebSocket, or a simulation's
 * wire. Sending after the end is ignored.
 */
export interface Transport {
  /** Of the other end, as far as it is known; only ever counted (core/address-keys.ts). */
  readonly address?: string | undefined;
  send(frame: Uint8Array): void;
  /** The same for one frame in two pieces. Where it is not there, `send` has them as one. */
  sendPieces?(head: Uint8Array, tail: Uint8Array): void;
  /** Ends it from this side. What was sent before still goes out where the other side reads. */
  close(code: number, reason: string): void;
  /** It takes what is sent, and asks for no more until it says `drained`. Where it is not there: never. */
  isFull?(): boolean;
  /** Bytes that were sent and that the other side has not taken yet. */
  bufferedBytes(): number;
  /** The connection was busy, and takes more. */
  ready?(): void;
  /** A frame that it brought was refused: whoever goes on all the same may be read more slowly. */
  refused?(): void;
  /** Asks the other side for a sign of life, and ends the connection if none comes. */
  probe?(): void;
}
