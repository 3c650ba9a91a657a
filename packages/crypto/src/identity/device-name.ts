import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import { concatBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { LABELS } from "../labels.ts";
import { aesGcmOpen, aesGcmSeal } from "../primitives/cipher.ts";
import { hkdfSha256 } from "../primitives/hash.ts";
import { ascii, utf8 } from "../primitives/text.ts";

/** Padded to this, so that the size says nothing about the name. */
export const DEVICE_NAME_BYTES = 64;
const NONCE_BYTES = 12;

export interface DeviceNameKey {
  readonly backupKey: Uint8Array;
  readonly accountId: Uint8Array;
  readonly deviceId: number;
}

/** Nonce || AES-256-GCM(name and zeros to 64 bytes): only own devices read it (trust.md 2). */
export function sealDeviceName(key: DeviceNameKey, name: string, nonce: Uint8Array): Uint8Array {
  const bytes = utf8(name);
  if (bytes.length > DEVICE_NAME_BYTES)
    throw new CryptoError("misuse", `a device name has at most ${DEVICE_NAME_BYTES} bytes`);
  const padded = new Uint8Array(DEVICE_NAME_BYTES);
  padded.set(bytes);
  return concatBytes(nonce, aesGcmSeal(aead(key, nonce), padded));
}

/** Throws `not-authentic` or `malformed`. */
export function openDeviceName(key: DeviceNameKey, sealed: Uint8Array): string {
  if (sealed.length <= NONCE_BYTES) throw new CryptoError("malformed", "not a sealed device name");
  const padded = aesGcmOpen(
    aead(key, sealed.subarray(0, NONCE_BYTES)),
    sealed.subarray(NONCE_BYTES),
  );
  let end = padded.length;
  while (end > 0 && padded[end - 1] === 0) end--;
  return bytesToUtf8(padded.subarray(0, end));
}

function aead({ backupKey, accountId, deviceId }: DeviceNameKey, nonce: Uint8Array) {
  return {
    key: hkdfSha256({ ikm: backupKey, info: ascii(LABELS.deviceName), length: 32 }),
    nonce,
    aad: concatBytes(accountId, Uint8Array.of(deviceId)),
  };
}
