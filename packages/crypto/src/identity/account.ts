import { concatBytes, equalBytes, ID_BYTES } from "@parley/protocol";
import { LABELS, labelled } from "../labels.ts";
import { ed25519Sign, ed25519Verify, type Operation } from "../operation.ts";
import { sha256 } from "../primitives/hash.ts";
import { lengthPrefixed, uint32Bytes, utf8 } from "../primitives/text.ts";
import type { DeviceKeys } from "./device-keys.ts";

/** Ids certify themselves: SHA-256(label || 0 || root public key), first 16 bytes (trust.md 2). */
export function accountIdOf(rootKey: Uint8Array): Uint8Array {
  return sha256(labelled(LABELS.accountId, rootKey)).slice(0, ID_BYTES);
}

export function isAccountOfRoot(accountId: Uint8Array, rootKey: Uint8Array): boolean {
  return equalBytes(accountId, accountIdOf(rootKey));
}

export interface ConsentBody {
  readonly accountId: Uint8Array;
  readonly deviceId: number;
  readonly registrationId: number;
  /** Ed25519 form. */
  readonly identityKey: Uint8Array;
}

/** The device's own word that it belongs to this account: nobody lists another's device as theirs. */
export function* signConsent(
  keys: DeviceKeys,
  { accountId, deviceId, registrationId }: Omit<ConsentBody, "identityKey">,
): Operation<Uint8Array> {
  const body = { accountId, deviceId, registrationId, identityKey: keys.ed25519Public };
  return yield* ed25519Sign(keys.seed, consentMessage(body));
}

/** Throws `invalid-key`. */
export function* verifyConsent(body: ConsentBody, consent: Uint8Array): Operation<boolean> {
  return yield* ed25519Verify({
    publicKey: body.identityKey,
    message: consentMessage(body),
    signature: consent,
  });
}

export interface LoginBody {
  /** Of the server's URL, such as `https://chat.example`. */
  readonly origin: string;
  /** The nonce of this connection's challenge. */
  readonly challenge: Uint8Array;
  readonly accountId: Uint8Array;
  readonly deviceId: number;
}

/** One server cannot replay another's challenge: the signature covers the origin (trust.md 2). */
export function* signLogin(keys: DeviceKeys, body: LoginBody): Operation<Uint8Array> {
  const { origin, challenge, accountId, deviceId } = body;
  const message = labelled(
    LABELS.login,
    lengthPrefixed(utf8(origin)),
    challenge,
    accountId,
    Uint8Array.of(deviceId),
  );
  return yield* ed25519Sign(keys.seed, message);
}

/** By the holder of the recovery code, whose device no list has yet. Wipe the root seed afterwards. */
export function* signRecoveryLogin(
  rootSeed: Uint8Array,
  { origin, challenge }: Pick<LoginBody, "origin" | "challenge">,
): Operation<Uint8Array> {
  const message = labelled(LABELS.recoveryLogin, lengthPrefixed(utf8(origin)), challenge);
  return yield* ed25519Sign(rootSeed, message);
}

function consentMessage(body: ConsentBody): Uint8Array {
  const { accountId, deviceId, registrationId, identityKey } = body;
  return labelled(
    LABELS.deviceConsent,
    concatBytes(accountId, Uint8Array.of(deviceId), uint32Bytes(registrationId), identityKey),
  );
}
