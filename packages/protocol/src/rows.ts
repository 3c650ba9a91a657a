import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Envelope, EnvelopeSchema } from "./gen/parley/wire/v1/envelope_pb.ts";
import { concatBytes } from "./ids.ts";

/**
 * Stored bytes are wire bytes (delivery.md 1): a row is an Envelope behind the tag and the length that it
 * has in `Deliver`, with the server's own fields after the sender's. A delivery frame is a short head and
 * then rows as they are: nothing is encoded again, and one buffer can serve many sockets.
 */
export interface ServerFields {
  readonly sourceAccount: Uint8Array;
  readonly sourceDevice: number;
  readonly acceptedAtMs: bigint;
}

export function encodeRow(envelope: Envelope, server: ServerFields): Uint8Array<ArrayBuffer> {
  const sender = toBinary(EnvelopeSchema, envelope);
  const own = toBinary(EnvelopeSchema, create(EnvelopeSchema, server));
  const head = new BinaryWriter()
    .tag(DELIVER_ENVELOPES_FIELD, WireType.LengthDelimited)
    .uint32(sender.length + own.length)
    .finish();
  return concatBytes(head, sender, own) as Uint8Array<ArrayBuffer>;
}

/** A whole ServerFrame {deliver {first ordinal, rows}}. */
export function encodeDelivery(
  firstOrdinal: bigint,
  rows: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const ordinal = new BinaryWriter()
    .tag(DELIVER_FIRST_ORDINAL_FIELD, WireType.Varint)
    .uint64(firstOrdinal)
    .finish();
  const rowBytes = rows.reduce((sum, row) => sum + row.length, 0);
  const head = new BinaryWriter()
    .tag(SERVER_FRAME_DELIVER_FIELD, WireType.LengthDelimited)
    .uint32(ordinal.length + rowBytes)
    .finish();
  return concatBytes(head, ordinal, ...rows) as Uint8Array<ArrayBuffer>;
}

/** The Envelope bytes inside a row. */
export function envelopeBytesOfRow(row: Uint8Array): Uint8Array {
  const reader = new BinaryReader(row);
  reader.tag();
  return reader.bytes();
}

// Numbers of fields in the schema; a test holds them against it.
export const DELIVER_FIRST_ORDINAL_FIELD = 1;
export const DELIVER_ENVELOPES_FIELD = 2;
export const SERVER_FRAME_DELIVER_FIELD = 41;
