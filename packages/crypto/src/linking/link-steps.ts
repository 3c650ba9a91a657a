import { concatBytes, copyOf } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { LABELS, labelled } from "../labels.ts";
import { type Operation, x25519 } from "../operation.ts";
import { aesGcmOpen, aesGcmSeal } from "../primitives/cipher.ts";
import { hkdfSha256, sha256 } from "../primitives/hash.ts";
import { ascii } from "../primitives/text.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const DIGITS = 6;

/** X25519 public keys that both made for this linking alone. */
export interface LinkEphemerals {
  readonly newDevice: Uint8Array;
  readonly linker: Uint8Array;
}

/** For what each of the two says to the other. */
export interface LinkKeys {
  readonly toNewDevice: Uint8Array;
  readonly toLinker: Uint8Array;
}

/** HKDF-SHA256 of the agreement, bound to both keys. Throws `invalid-key`. */
export function* deriveLinkKeys(
  ownPrivate: Uint8Array,
  theirs: Uint8Array,
  { newDevice, linker }: LinkEphemerals,
): Operation<LinkKeys> {
  const keys = hkdfSha256({
    ikm: yield* x25519(ownPrivate, theirs),
    info: concatBytes(ascii(LABELS.linkKeys), newDevice, linker),
    length: 2 * KEY_BYTES,
  });
  return { toNewDevice: copyOf(keys, 0, KEY_BYTES), toLinker: copyOf(keys, KEY_BYTES) };
}

export interface LinkedParties extends LinkEphemerals {
  readonly accountId: Uint8Array;
  /** Of the new device, Ed25519 form. */
  readonly identityKey: Uint8Array;
}

/**
 * What both sides show, and people compare: who took a code from a photograph stands between two other keys
 * (trust.md 3). The first 8 bytes of a hash of all that was agreed on, modulo 10^6.
 */
export function linkDigits(parties: LinkedParties): string {
  const { newDevice, linker, accountId, identityKey } = parties;
  const hash = sha256(labelled(LABELS.linkDigits, newDevice, linker, accountId, identityKey));
  const value = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0);
  return String(value % 10n ** BigInt(DIGITS)).padStart(DIGITS, "0");
}

/** Nonce || AES-256-GCM, bound to the number of the step. */
export function sealLinkStep(
  key: Uint8Array,
  step: number,
  { plaintext, nonce }: { readonly plaintext: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array {
  return concatBytes(nonce, aesGcmSeal({ key, nonce, aad: Uint8Array.of(step) }, plaintext));
}

/** Throws `malformed` or `not-authentic`. */
export function openLinkStep(key: Uint8Array, step: number, sealed: Uint8Array): Uint8Array {
  if (sealed.length <= NONCE_BYTES) throw new CryptoError("malformed", "not a step of linking");
  const nonce = sealed.subarray(0, NONCE_BYTES);
  return aesGcmOpen({ key, nonce, aad: Uint8Array.of(step) }, sealed.subarray(NONCE_BYTES));
}
