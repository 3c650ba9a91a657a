import type { SendFailure } from "./metrics.ts";

/**
 * Follows some messages from send to delivery. What is told of them is when, never who or what: no ids, no
 * sizes.
 */
export interface Tracer {
  /** A request to send has arrived. Undefined for most, and always where nobody traces. */
  sendReceived(): SendTrace | undefined;
}

export interface SendTrace {
  /** All of it is durable. */
  committed(): void;
  /** The sender is answered. */
  accepted(): void;
  failed(reason: SendFailure): void;
  /** One of its envelopes, from the moment at which its mailbox is woken. It may outlive the send. */
  delivery(): DeliveryTrace;
}

export interface DeliveryTrace {
  /** It is in the recipient's socket. */
  written(): void;
  /** The device has it. This ends the trace; without it, it ends with `written` after a while. */
  acked(): void;
}

/** Nobody traces. */
export const NO_TRACER: Tracer = { sendReceived: () => undefined };
