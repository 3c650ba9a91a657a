import {
  DeliveryClass,
  type Envelope,
  ErrorCode,
  encodeRow,
  ProtocolError,
} from "@parley/protocol";
import { allocate, bytesOfHex, hexOf } from "../lib/bytes.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { Delivery } from "../ports/mailbox-store.ts";
import { deliveryTiming, type SendTiming } from "./send-timing.ts";

/** A source is written here and nowhere else, so that sealed sender has one place to come to. */
export interface Stamp {
  readonly source: DeviceAddress;
  readonly acceptedAtMs: number;
  readonly timing?: SendTiming | undefined;
}

export function stampedRow(envelope: Envelope, { source, acceptedAtMs }: Stamp): Uint8Array {
  const server = {
    sourceAccount: bytesOfHex(source.accountId),
    sourceDevice: source.deviceId,
    acceptedAtMs: BigInt(acceptedAtMs),
  };
  return encodeRow(envelope, server, allocate);
}

export function deliveriesTo(
  accountId: string,
  envelopes: readonly Envelope[],
  stamp: Stamp,
): Delivery[] {
  return envelopes.map((envelope) => {
    if (envelope.deliveryClass !== DeliveryClass.DURABLE)
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, "only durable envelopes are stored");
    return {
      mailbox: { accountId, deviceId: envelope.destinationDevice },
      envelopeId: hexOf(envelope.id),
      bytes: stampedRow(envelope, stamp),
      timing: stamp.timing && deliveryTiming(stamp.timing),
    };
  });
}
