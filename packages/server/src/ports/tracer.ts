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
  /** One of its envelopes, from the moment at which it is durable. It may outlive the send. */
  delivery(): DeliveryTrace;
}

export interface DeliveryTrace {
  /** It is in the recipient's socket. Before that nothing is told: the device may be away for days. */
  written(): void;
  /** The device has it, which ends the trace. It ends by itself after a while. */
  acked(): void;
}

/** Nobody traces. */
export const NO_TRACER: Tracer = { sendReceived: () => undefined };
