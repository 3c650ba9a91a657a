import { concatBytes, equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { hmacSha256 } from "../primitives/hash.ts";
import { bytesField, readFields, uint32Field, writeFields } from "./wire-fields.ts";

/** Message version 4, the newest and the oldest that is taken: version << 4 | 4. */
export const VERSION_BYTE = 0x44;
export const MAC_BYTES = 8;
export const CURVE_WIRE_BYTES = 33;
/** Sender, then recipient: kind 0x00, account id 16, device id 1 each (e2ee.md 2, field 6). */
export const ADDRESSES_BYTES = 36;
/** A version byte, and the tail that its MAC leaves. */
const BYTES_MIN = 1 + MAC_BYTES;

export interface SignalMessage {
  /** 33 bytes. */
  readonly ratchetKey: Uint8Array;
  readonly counter: number;
  readonly previousCounter: number;
  readonly ciphertext: Uint8Array;
  /** The place of the post-quantum ratchet's message. */
  readonly pqRatchet: Uint8Array | undefined;
  readonly addresses: Uint8Array | undefined;
}

export interface ReadSignalMessage extends SignalMessage {
  /** Everything that the MAC covers besides the identities. */
  readonly authenticated: Uint8Array;
  readonly mac: Uint8Array;
}

export interface MacKey {
  readonly key: Uint8Array;
  /** 33 bytes each. */
  readonly senderIdentity: Uint8Array;
  readonly receiverIdentity: Uint8Array;
}

/** The bytes of libsignal's SignalMessage, with their MAC. */
export function encodeSignalMessage(message: SignalMessage, mac: MacKey): Uint8Array {
  const fields = writeFields([
    { field: 1, value: message.ratchetKey },
    { field: 2, value: message.counter },
    { field: 3, value: message.previousCounter },
    { field: 4, value: message.ciphertext },
    { field: 5, value: message.pqRatchet },
    { field: 6, value: message.addresses },
  ]);
  const authenticated = concatBytes(Uint8Array.of(VERSION_BYTE), fields);
  return concatBytes(authenticated, macOf(authenticated, mac));
}

/** Throws `malformed`. Whether it is genuine, `isGenuine` tells once its keys are known. */
export function decodeSignalMessage(bytes: Uint8Array): ReadSignalMessage {
  if (bytes.length < BYTES_MIN || bytes[0] !== VERSION_BYTE)
    throw new CryptoError("malformed", "not a message of version 4");
  const authenticated = bytes.subarray(0, bytes.length - MAC_BYTES);
  const values = readFields(authenticated.subarray(1), FIELDS);
  return {
    ratchetKey: bytesField(values, 1, CURVE_WIRE_BYTES),
    counter: uint32Field(values, 2),
    previousCounter: uint32Field(values, 3),
    ciphertext: bytesField(values, 4),
    pqRatchet: values.has(5) ? bytesField(values, 5) : undefined,
    addresses: values.has(6) ? bytesField(values, 6, ADDRESSES_BYTES) : undefined,
    authenticated,
    mac: bytes.subarray(bytes.length - MAC_BYTES),
  };
}

export function isGenuine({ authenticated, mac }: ReadSignalMessage, key: MacKey): boolean {
  return equalBytes(mac, macOf(authenticated, key));
}

const FIELDS = {
  1: "bytes",
  2: "uint32",
  3: "uint32",
  4: "bytes",
  5: "bytes",
  6: "bytes",
} as const;

/** HMAC-SHA256 over sender identity || receiver identity || message, first 8 bytes (e2ee.md 2). */
function macOf(authenticated: Uint8Array, mac: MacKey): Uint8Array {
  const message = concatBytes(mac.senderIdentity, mac.receiverIdentity, authenticated);
  return hmacSha256(mac.key, message).subarray(0, MAC_BYTES);
}
