import type { DeliveryTiming } from "../ports/mailbox-store.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { SendTrace, Tracer } from "../ports/tracer.ts";

/** What is measured of one send. */
export interface SendTiming {
  readonly receivedAt: number;
  readonly trace: SendTrace | undefined;
}

/** Undefined where nobody measures. */
export function sendTiming(metrics: Metrics, tracer: Tracer): SendTiming | undefined {
  const receivedAt = metrics.now();
  const trace = tracer.sendReceived();
  return receivedAt === 0 && trace === undefined ? undefined : { receivedAt, trace };
}

/** Of one of its envelopes. */
export function deliveryTiming({ receivedAt, trace }: SendTiming): DeliveryTiming {
  return { receivedAt, trace: trace?.delivery() };
}
