/**
 * One connection to a server that carries whole binary frames, in order, until it ends. WebSocket is the
 * first of several; a simulation has its own.
 */
export interface Socket {
  send(frame: Uint8Array): void;
  /** Ends it from this side; `closed` follows. */
  close(code: number, reason: string): void;
}

export interface SocketEvents {
  opened(): void;
  received(frame: Uint8Array): void;
  /** Once, last, whatever the cause; 1006 where the other side said nothing (RFC 6455 section 7.4.1). */
  closed(code: number): void;
}

export type OpenSocket = (serverUrl: string, events: SocketEvents) => Socket;
