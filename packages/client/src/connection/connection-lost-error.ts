/**
 * The request may have arrived or not: no answer came, or there is no connection. Repeat it after the next
 * welcome.
 */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";

  constructor(message = "not connected") {
    super(message);
  }
}
