import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema, envelopeBytesOfRow, equalBytes } from "@parley/protocol";

/** Whether two rows hold the same envelope of the same sender; when each was accepted is left aside. */
export function sameEnvelope(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(withoutTime(a), withoutTime(b));
}

function withoutTime(row: Uint8Array): Uint8Array {
  const envelope = fromBinary(EnvelopeSchema, envelopeBytesOfRow(row));
  envelope.acceptedAtMs = 0n;
  return toBinary(EnvelopeSchema, envelope);
}
