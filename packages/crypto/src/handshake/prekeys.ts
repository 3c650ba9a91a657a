import { create } from "@bufbuild/protobuf";
import type { KyberPrekey, OneTimePrekey, SignedPrekey } from "@parley/protocol";
import {
  concatBytes,
  KyberPrekeySchema,
  OneTimePrekeySchema,
  SignedPrekeySchema,
} from "@parley/protocol";
import { curveKey, type DeviceKeys, signAsIdentity } from "../identity/device-keys.ts";
import { type Operation, x25519PublicKey } from "../operation.ts";
import { kyberPublicKey } from "../primitives/kyber1024.ts";

/** A Kyber-1024 public key as libsignal's wire has it: this byte, then the key (1,569 bytes). */
export const KYBER_KEY_TYPE = 0x08;
/** Random input of `makeSignedPrekey`, and of the curve half of a one-time prekey. */
export const CURVE_PRIVATE_BYTES = 32;
/** Random input of a Kyber prekey. */
export { KYBER_SEED_BYTES } from "../primitives/kyber1024.ts";

/** The private half is what the device stores; the public half goes to the server (`UploadPrekeysRequest`). */
export interface Prekey<Secret, Public> {
  readonly secret: Secret;
  readonly public: Public;
}

export interface SignedPrekeySecret {
  readonly id: number;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
}

export interface LastResortPrekeySecret {
  readonly id: number;
  /** 64 bytes, FIPS 203's d || z. */
  readonly kyberSeed: Uint8Array;
}

export interface OneTimePrekeySecret {
  readonly id: number;
  readonly curvePrivate: Uint8Array;
  readonly kyberSeed: Uint8Array;
}

/** `privateKey` is 32 random bytes. */
export function* makeSignedPrekey(
  keys: DeviceKeys,
  secret: SignedPrekeySecret,
): Operation<Prekey<SignedPrekeySecret, SignedPrekey>> {
  const publicKey = curveKey(yield* x25519PublicKey(secret.privateKey));
  const signature = yield* signAsIdentity(keys, publicKey);
  return { secret, public: create(SignedPrekeySchema, { id: secret.id, publicKey, signature }) };
}

/** The Kyber prekey that serves when one-time prekeys have run out; never used up. */
export function* makeLastResortPrekey(
  keys: DeviceKeys,
  secret: LastResortPrekeySecret,
): Operation<Prekey<LastResortPrekeySecret, KyberPrekey>> {
  const publicKey = kyberKey(yield* kyberPublicKey(secret.kyberSeed));
  const signature = yield* signAsIdentity(keys, publicKey);
  return { secret, public: create(KyberPrekeySchema, { id: secret.id, publicKey, signature }) };
}

/** A curve key and a Kyber key under one id. */
export function* makeOneTimePrekey(
  keys: DeviceKeys,
  secret: OneTimePrekeySecret,
): Operation<Prekey<OneTimePrekeySecret, OneTimePrekey>> {
  const curvePublicKey = curveKey(yield* x25519PublicKey(secret.curvePrivate));
  const kyberPublic = kyberKey(yield* kyberPublicKey(secret.kyberSeed));
  const kyberSignature = yield* signAsIdentity(keys, kyberPublic);
  const made = { id: secret.id, curvePublicKey, kyberPublicKey: kyberPublic, kyberSignature };
  return { secret, public: create(OneTimePrekeySchema, made) };
}

/** 0x08 || key. */
export function kyberKey(publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(KYBER_KEY_TYPE), publicKey);
}
