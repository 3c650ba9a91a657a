import { toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { type Envelope, EnvelopeSchema } from "./gen/parley/wire/v1/envelope_pb.ts";
import {
  fieldBytes,
  LENGTH_DELIMITED,
  varintBytes,
  writeBytes,
  writeTag,
  writeVarint,
} from "./varint.ts";

/**
 * Stored bytes are wire bytes (delivery.md 1): a row is an Envelope behind the tag and the length that it
 * has in `Deliver`, with the server's own fields after the sender's. A delivery frame is a short head and
 * then rows as they are: nothing is encoded again, and one buffer can serve many sockets.
 *
 * Rows and deliveries are on the way of every message: they are written by hand, at a fifth of the price of
 * the general encoder, and a test holds them against it.
 */
export interface ServerFields {
  readonly sourceAccount: Uint8Array;
  readonly sourceDevice: number;
  readonly acceptedAtMs: bigint;
}

/** Bytes for a row or frame; what is in them before does not matter. */
export type Allocate = (byteCount: number) => Uint8Array;

const allocateZeroed: Allocate = (byteCount) => new Uint8Array(byteCount);

export function encodeRow(
  envelope: Envelope,
  server: ServerFields,
  allocate: Allocate = allocateZeroed,
): Uint8Array {
  // Fields that this version does not know are the sender's too: the general encoder has them.
  const whole = envelope.$unknown === undefined ? undefined : toBinary(EnvelopeSchema, envelope);
  const senderBytes = whole?.length ?? envelopeBytes(envelope);
  const acceptedAtMs = Number(server.acceptedAtMs);
  const ownBytes =
    fieldBytes(server.sourceAccount.length) +
    numberBytes(server.sourceDevice) +
    numberBytes(acceptedAtMs);
  const length = senderBytes + ownBytes;
  const row = allocate(1 + varintBytes(length) + length);
  let at = writeTag(row, 0, DELIVER_ENVELOPES_FIELD, LENGTH_DELIMITED);
  at = writeVarint(row, at, length);
  if (whole === undefined) at = writeEnvelope(row, at, envelope);
  else {
    row.set(whole, at);
    at += whole.length;
  }
  at = writeBytes(row, at, ENVELOPE_FIELD.sourceAccount, server.sourceAccount);
  at = writeNumber(row, at, ENVELOPE_FIELD.sourceDevice, server.sourceDevice);
  writeNumber(row, at, ENVELOPE_FIELD.acceptedAtMs, acceptedAtMs);
  return row;
}

/** A whole ServerFrame {deliver {first ordinal, rows}}. */
export function encodeDelivery(
  firstOrdinal: bigint,
  rows: readonly Uint8Array[],
  allocate: Allocate = allocateZeroed,
): Uint8Array {
  const ordinal = Number(firstOrdinal);
  let length = 1 + varintBytes(ordinal);
  for (const row of rows) length += row.length;
  const frame = allocate(2 + varintBytes(length) + length);
  let at = writeTag(frame, 0, SERVER_FRAME_DELIVER_FIELD, LENGTH_DELIMITED);
  at = writeVarint(frame, at, length);
  at = writeTag(frame, at, DELIVER_FIRST_ORDINAL_FIELD, VARINT);
  at = writeVarint(frame, at, ordinal);
  for (const row of rows) {
    frame.set(row, at);
    at += row.length;
  }
  return frame;
}

/** The Envelope bytes inside a row. */
export function envelopeBytesOfRow(row: Uint8Array): Uint8Array {
  const reader = new BinaryReader(row);
  reader.tag();
  return reader.bytes();
}

function envelopeBytes({ id, destinationDevice, deliveryClass, urgent, ciphertext }: Envelope) {
  return (
    (id.length > 0 ? fieldBytes(id.length) : 0) +
    numberBytes(destinationDevice) +
    numberBytes(deliveryClass) +
    (urgent ? 2 : 0) +
    (ciphertext.length > 0 ? fieldBytes(ciphertext.length) : 0)
  );
}

function writeEnvelope(target: Uint8Array, from: number, envelope: Envelope): number {
  let at = from;
  const { id, ciphertext } = envelope;
  if (id.length > 0) at = writeBytes(target, at, ENVELOPE_FIELD.id, id);
  at = writeNumber(target, at, ENVELOPE_FIELD.destinationDevice, envelope.destinationDevice);
  at = writeNumber(target, at, ENVELOPE_FIELD.deliveryClass, envelope.deliveryClass);
  at = writeNumber(target, at, ENVELOPE_FIELD.urgent, envelope.urgent ? 1 : 0);
  if (ciphertext.length > 0) at = writeBytes(target, at, ENVELOPE_FIELD.ciphertext, ciphertext);
  return at;
}

/** Zero is what a field has that is not there (proto3). */
const numberBytes = (value: number): number => (value === 0 ? 0 : 1 + varintBytes(value));

function writeNumber(target: Uint8Array, at: number, field: number, value: number): number {
  return value === 0 ? at : writeVarint(target, writeTag(target, at, field, VARINT), value);
}

const VARINT = 0;

// Numbers of fields in the schema; a test holds them against it.
export const DELIVER_FIRST_ORDINAL_FIELD = 1;
export const DELIVER_ENVELOPES_FIELD = 2;
export const SERVER_FRAME_DELIVER_FIELD = 41;
const ENVELOPE_FIELD = {
  id: 1,
  destinationDevice: 2,
  deliveryClass: 3,
  urgent: 4,
  ciphertext: 5,
  sourceAccount: 9,
  sourceDevice: 10,
  acceptedAtMs: 11,
};
