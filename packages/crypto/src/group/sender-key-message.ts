import { concatBytes, copyOf, ID_BYTES } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { CURVE_WIRE_BYTES } from "../ratchet/signal-message.ts";
import { bytesField, readFields, uint32Field, writeFields } from "../ratchet/wire-fields.ts";

/**
 * The first byte of an envelope's ciphertext (delivery.md 1): also libsignal's number for a sender key message.
 */
export const SENDER_KEY_MESSAGE_KIND = 0x07;
/** Sender keys have version 3, the newest and the only one: version << 4 | 3 (e2ee.md 2). */
const VERSION_BYTE = 0x33;
const SIGNATURE_BYTES = 64;
const CHAIN_KEY_BYTES = 32;

export interface SenderKeyMessage {
  /** A UUID's 16 bytes. */
  readonly distributionId: Uint8Array;
  readonly chainId: number;
  readonly iteration: number;
  readonly ciphertext: Uint8Array;
}

export interface ReadSenderKeyMessage extends SenderKeyMessage {
  /** What the signature covers. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a message's signature covers: the version, and libsignal's SenderKeyMessage without it. */
export function signedPartOf(message: SenderKeyMessage): Uint8Array {
  const fields = writeFields([
    { field: 1, value: message.distributionId },
    { field: 2, value: message.chainId },
    { field: 3, value: message.iteration },
    { field: 4, value: message.ciphertext },
  ]);
  return concatBytes(Uint8Array.of(VERSION_BYTE), fields);
}

/** An envelope's ciphertext. Throws `malformed`. Whether it is genuine, its signature tells. */
export function decodeSenderKeyMessage(ciphertext: Uint8Array): ReadSenderKeyMessage {
  const bytes = ciphertext.subarray(1);
  if (ciphertext[0] !== SENDER_KEY_MESSAGE_KIND || bytes[0] !== VERSION_BYTE)
    throw new CryptoError("malformed", "not a sender key message of version 3");
  if (bytes.length < 1 + SIGNATURE_BYTES) throw new CryptoError("malformed", "cut off");
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const values = readFields(signed.subarray(1), MESSAGE_FIELDS);
  return {
    distributionId: bytesField(values, 1, ID_BYTES),
    chainId: uint32Field(values, 2),
    iteration: uint32Field(values, 3),
    ciphertext: bytesField(values, 4),
    signed,
    signature: bytes.subarray(bytes.length - SIGNATURE_BYTES),
  };
}

/** Which sender key an envelope's ciphertext needs; undefined where it is no sender key message. */
export function distributionIdOf(ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return decodeSenderKeyMessage(ciphertext).distributionId;
  } catch {
    return undefined;
  }
}

export interface SenderKeyDistribution {
  readonly distributionId: Uint8Array;
  readonly chainId: number;
  readonly iteration: number;
  readonly chainKey: Uint8Array;
  /** 33 bytes. */
  readonly signingKey: Uint8Array;
}

/** The bytes of libsignal's SenderKeyDistributionMessage. */
export function encodeDistribution(distribution: SenderKeyDistribution): Uint8Array {
  const fields = writeFields([
    { field: 1, value: distribution.distributionId },
    { field: 2, value: distribution.chainId },
    { field: 3, value: distribution.iteration },
    { field: 4, value: distribution.chainKey },
    { field: 5, value: distribution.signingKey },
  ]);
  return concatBytes(Uint8Array.of(VERSION_BYTE), fields);
}

/** Throws `malformed`. Copies: what is kept of it must not hang on the envelope that it came in. */
export function decodeDistribution(bytes: Uint8Array): SenderKeyDistribution {
  if (bytes[0] !== VERSION_BYTE)
    throw new CryptoError("malformed", "not a distribution of version 3");
  const values = readFields(copyOf(bytes, 1), DISTRIBUTION_FIELDS);
  return {
    distributionId: bytesField(values, 1, ID_BYTES),
    chainId: uint32Field(values, 2),
    iteration: uint32Field(values, 3),
    chainKey: bytesField(values, 4, CHAIN_KEY_BYTES),
    signingKey: bytesField(values, 5, CURVE_WIRE_BYTES),
  };
}

const MESSAGE_FIELDS = { 1: "bytes", 2: "uint32", 3: "uint32", 4: "bytes" } as const;
const DISTRIBUTION_FIELDS = { ...MESSAGE_FIELDS, 5: "bytes" } as const;
