import { concatBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { KYBER_CIPHERTEXT_BYTES } from "../primitives/kyber1024.ts";
import { CURVE_WIRE_BYTES, VERSION_BYTE } from "./signal-message.ts";
import { bytesField, readFields, uint32Field, writeFields } from "./wire-fields.ts";

/** Its type byte, then the ciphertext. */
export const KYBER_CIPHERTEXT_WIRE_BYTES = 1 + KYBER_CIPHERTEXT_BYTES;

/** What an initiator sends until it is answered. No MAC of its own: the message inside vouches for it. */
export interface PrekeySignalMessage {
  readonly oneTimePrekeyId: number | undefined;
  /** 33 bytes each. */
  readonly baseKey: Uint8Array;
  readonly identity: Uint8Array;
  /** The bytes of a SignalMessage. */
  readonly message: Uint8Array;
  readonly registrationId: number;
  readonly signedPrekeyId: number;
  readonly kyberPrekeyId: number;
  /** 0x08 first. */
  readonly kyberCiphertext: Uint8Array;
}

/** The bytes of libsignal's PreKeySignalMessage. */
export function encodePrekeySignalMessage(message: PrekeySignalMessage): Uint8Array {
  const fields = writeFields([
    { field: 1, value: message.oneTimePrekeyId },
    { field: 2, value: message.baseKey },
    { field: 3, value: message.identity },
    { field: 4, value: message.message },
    { field: 5, value: message.registrationId },
    { field: 6, value: message.signedPrekeyId },
    { field: 7, value: message.kyberPrekeyId },
    { field: 8, value: message.kyberCiphertext },
  ]);
  return concatBytes(Uint8Array.of(VERSION_BYTE), fields);
}

/** Throws `malformed`. */
export function decodePrekeySignalMessage(bytes: Uint8Array): PrekeySignalMessage {
  if (bytes[0] !== VERSION_BYTE)
    throw new CryptoError("malformed", "not a prekey message of version 4");
  const values = readFields(bytes.subarray(1), FIELDS);
  return {
    oneTimePrekeyId: values.has(1) ? uint32Field(values, 1) : undefined,
    baseKey: bytesField(values, 2, CURVE_WIRE_BYTES),
    identity: bytesField(values, 3, CURVE_WIRE_BYTES),
    message: bytesField(values, 4),
    registrationId: uint32Field(values, 5),
    signedPrekeyId: uint32Field(values, 6),
    kyberPrekeyId: uint32Field(values, 7),
    kyberCiphertext: bytesField(values, 8, KYBER_CIPHERTEXT_WIRE_BYTES),
  };
}

const FIELDS = {
  1: "uint32",
  2: "bytes",
  3: "bytes",
  4: "bytes",
  5: "uint32",
  6: "uint32",
  7: "uint32",
  8: "bytes",
} as const;
