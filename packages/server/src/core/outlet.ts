/** The way to one client, as far as the core sees it: frames that are encoded already, and an end. */
export interface Outlet {
  send(frame: Uint8Array): void;
  /** The client takes no more for now; its stream is told when it does. */
  isFull(): boolean;
  /** Closes the connection with a code of the protocol. Nothing is sent any more. */
  end(closeCode: number, reason: string): void;
  /** Asks for a sign of life, where the transport can. */
  probe(): void;
}
