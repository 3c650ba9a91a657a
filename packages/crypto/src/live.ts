import { concatBytes, copyOf } from "@parley/protocol";
import { CryptoError } from "./crypto-error.ts";
import { LABELS, labelled } from "./labels.ts";
import { aesGcmOpen, aesGcmSeal } from "./primitives/cipher.ts";

/** The first byte of a live frame's ciphertext (delivery.md 1). */
export const LIVE_FRAME_KIND = 0x01;
export const LIVE_KEY_ID_BYTES = 4;
export const LIVE_KEY_BYTES = 32;
export const LIVE_NONCE_BYTES = 12;
/** The plaintext, padded with zeros: every frame has one size. */
export const LIVE_CONTENT_BYTES = 64;
const TAG_BYTES = 16;
const FRAME_BYTES = 1 + LIVE_KEY_ID_BYTES + LIVE_NONCE_BYTES + LIVE_CONTENT_BYTES + TAG_BYTES;

export interface LiveKeyPair {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

export interface LiveRoute {
  readonly senderAccount: Uint8Array;
  readonly senderDevice: number;
  /** The recipient account; in a group the group id. */
  readonly recipient: Uint8Array;
}

/** 01 || key id 4 || nonce 12 || AES-256-GCM(64 bytes): 97 bytes (trust.md 5). */
export function sealLive(
  { id, key }: LiveKeyPair,
  route: LiveRoute,
  content: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  if (content.length > LIVE_CONTENT_BYTES)
    throw new CryptoError("misuse", `live content has at most ${LIVE_CONTENT_BYTES} bytes`);
  const padded = new Uint8Array(LIVE_CONTENT_BYTES);
  padded.set(content);
  const sealed = aesGcmSeal({ key, nonce, aad: aadOf(route) }, padded);
  return concatBytes(Uint8Array.of(LIVE_FRAME_KIND), id, nonce, sealed);
}

/** Which key opens a frame; undefined where it is none. */
export function liveKeyIdOf(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length !== FRAME_BYTES || frame[0] !== LIVE_FRAME_KIND) return undefined;
  return copyOf(frame, 1, 1 + LIVE_KEY_ID_BYTES);
}

/**
 * The content without its zeros (no protobuf message ends in one: a default value is not written). Undefined
 * where the frame is not genuine.
 */
export function openLive(
  key: Uint8Array,
  route: LiveRoute,
  frame: Uint8Array,
): Uint8Array | undefined {
  if (liveKeyIdOf(frame) === undefined) return undefined;
  const nonceAt = 1 + LIVE_KEY_ID_BYTES;
  const sealedAt = nonceAt + LIVE_NONCE_BYTES;
  const nonce = frame.subarray(nonceAt, sealedAt);
  try {
    const padded = aesGcmOpen({ key, nonce, aad: aadOf(route) }, frame.subarray(sealedAt));
    return padded.slice(0, padded.findLastIndex((byte) => byte !== 0) + 1);
  } catch {
    return undefined;
  }
}

function aadOf({ senderAccount, senderDevice, recipient }: LiveRoute): Uint8Array {
  return labelled(LABELS.live, senderAccount, Uint8Array.of(senderDevice), recipient);
}
