import {
  ErrorCode,
  type KyberPrekey,
  type OneTimePrekey,
  ProtocolError,
  type SignedPrekey,
  type UploadPrekeysRequest,
} from "@parley/protocol";
import { isCurvePublicKey, isKyberPublicKey, verifyPrekeySignature } from "./keys.ts";

/**
 * Keys that are keys, signed by the identity key that the account's chain lists: else every sender would
 * find out one by one. Throws INVALID_KEY.
 */
export function checkPrekeys(identityKey: Uint8Array, upload: UploadPrekeysRequest): void {
  const { signedPrekey, lastResortPrekey, oneTimePrekeys } = upload;
  if (signedPrekey) checkCurvePrekey(identityKey, signedPrekey);
  if (lastResortPrekey) checkKyberPrekey(identityKey, lastResortPrekey);
  for (const prekey of oneTimePrekeys) checkOneTimePrekey(identityKey, prekey);
  const ids = oneTimePrekeys.map(({ id }) => id);
  if (new Set(ids).size !== ids.length)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "two one-time prekeys under one id");
}

function checkCurvePrekey(identityKey: Uint8Array, { publicKey, signature }: SignedPrekey): void {
  if (!isCurvePublicKey(publicKey)) refuse("a signed prekey that is no key");
  if (!verifyPrekeySignature(identityKey, publicKey, signature))
    refuse("a signed prekey whose signature does not fit");
}

function checkKyberPrekey(identityKey: Uint8Array, { publicKey, signature }: KyberPrekey): void {
  if (!isKyberPublicKey(publicKey)) refuse("a Kyber prekey that is no key");
  if (!verifyPrekeySignature(identityKey, publicKey, signature))
    refuse("a Kyber prekey whose signature does not fit");
}

function checkOneTimePrekey(identityKey: Uint8Array, prekey: OneTimePrekey): void {
  if (!isCurvePublicKey(prekey.curvePublicKey)) refuse("a one-time prekey that is no key");
  const { kyberPublicKey: publicKey, kyberSignature: signature } = prekey;
  checkKyberPrekey(identityKey, { publicKey, signature } as KyberPrekey);
}

function refuse(problem: string): never {
  throw new ProtocolError(ErrorCode.INVALID_KEY, problem);
}
