import { concatBytes } from "@parley/protocol";
import { hkdfSha256, hmacSha256 } from "../primitives/hash.ts";
import { ascii, uint64Bytes } from "../primitives/text.ts";

/** What vouches for keys and ciphertexts of the braid: keys that move with each epoch's secret. */
export interface Authenticator {
  readonly root: Uint8Array;
  readonly mac: Uint8Array;
}

export const MAC_BYTES = 32;

const PROTOCOL = "Signal_PQCKA_V1_MLKEM768:";
const UPDATE = ascii(`${PROTOCOL}Authenticator Update`);
const HEADER = ascii(`${PROTOCOL}ekheader`);
const CIPHERTEXT = ascii(`${PROTOCOL}ciphertext`);
const EPOCH_SECRET = ascii(`${PROTOCOL}SCKA Key`);
const ZEROS = new Uint8Array(32);

/** Authenticator.Init (ML-KEM Braid section 2.4), with the handshake's key. */
export function newAuthenticator(epoch: bigint, key: Uint8Array): Authenticator {
  return updated({ root: ZEROS, mac: ZEROS }, epoch, key);
}

/** Authenticator.Update: KDF_AUTH. */
export function updated({ root }: Authenticator, epoch: bigint, key: Uint8Array): Authenticator {
  const info = concatBytes(UPDATE, uint64Bytes(epoch));
  const keys = hkdfSha256({ salt: ZEROS, ikm: concatBytes(root, key), info, length: 64 });
  return { root: keys.slice(0, 32), mac: keys.slice(32) };
}

/** Authenticator.MacHdr. */
export function macOfHeader({ mac }: Authenticator, epoch: bigint, header: Uint8Array): Uint8Array {
  return hmacSha256(mac, concatBytes(HEADER, uint64Bytes(epoch), header));
}

/** Authenticator.MacCt, over ct1 || ct2. */
export function macOfCiphertext(
  { mac }: Authenticator,
  epoch: bigint,
  ciphertext: Uint8Array,
): Uint8Array {
  return hmacSha256(mac, concatBytes(CIPHERTEXT, uint64Bytes(epoch), ciphertext));
}

/** KDF_OK: what an encapsulation's secret gives the epoch. */
export function epochSecretOf(sharedSecret: Uint8Array, epoch: bigint): Uint8Array {
  const info = concatBytes(EPOCH_SECRET, uint64Bytes(epoch));
  return hkdfSha256({ salt: ZEROS, ikm: sharedSecret, info, length: 32 });
}
