import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Envelope, fromHex, toHex } from "@parley/protocol";
import { under } from "../conversation/keys.ts";
import {
  type ParkedEnvelope,
  ParkedEnvelopeSchema,
} from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";

/** Envelopes of devices whose list could not be fetched: durable, and acknowledged (trust.md 3). */
const PREFIX = "envelope/";

export interface ParkedRow {
  readonly key: string;
  readonly from: DeviceAddress;
  readonly envelope: ParkedEnvelope;
}

export function park(tx: Transaction, envelope: Envelope, nowMs: number): void {
  const account = toHex(envelope.sourceAccount);
  const record = create(ParkedEnvelopeSchema, {
    sourceAccount: fromHex(account),
    sourceDevice: envelope.sourceDevice,
    ciphertext: envelope.ciphertext,
    receivedAtMs: BigInt(nowMs),
  });
  const key = `${PREFIX}${account}/${toHex(envelope.id)}`;
  tx.put("parked", key, toBinary(ParkedEnvelopeSchema, record));
}

export async function allParked(tx: Transaction): Promise<ParkedRow[]> {
  return (await tx.range("parked", under(PREFIX))).map(({ key, value }) => {
    const envelope = fromBinary(ParkedEnvelopeSchema, value);
    const accountId = toHex(envelope.sourceAccount);
    return { key, envelope, from: { accountId, deviceId: envelope.sourceDevice } };
  });
}
