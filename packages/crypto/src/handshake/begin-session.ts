import { create } from "@bufbuild/protobuf";
import {
  concatBytes,
  equalBytes,
  type PrekeyBundle,
  type SessionRecord,
  type SessionState,
  SessionStateSchema,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { curveKey, montgomeryPart, verifyAsIdentity } from "../identity/device-keys.ts";
import { type Operation, x25519PublicKey } from "../operation.ts";
import { type Encapsulated, kyberEncapsulate } from "../primitives/kyber1024.ts";
import { isSameDevice } from "../ratchet/addresses.ts";
import { newSendingChain } from "../ratchet/double-ratchet.ts";
import type { SessionContext } from "../ratchet/session-api.ts";
import { withNewSession } from "../ratchet/session-record.ts";
import { newPqRatchet } from "../spqr/pq-ratchet.ts";
import { initiatorKeys } from "./pqxdh.ts";
import { KYBER_KEY_TYPE } from "./prekeys.ts";

export type SessionBegun =
  | { readonly kind: "begun"; readonly record: SessionRecord }
  | { readonly kind: "refused"; readonly reason: BundleRefusal };

export type BundleRefusal =
  /** A device has no session with itself. */
  | "own-session"
  /** The bundle is another device's. */
  | "wrong-device"
  /** Neither a one-time prekey nor a last-resort one. */
  | "no-kyber-prekey"
  /** A key that is none, not canonical, or of low order. */
  | "invalid-key"
  /** Not signed by the identity that the account's chain lists: signed prekey or Kyber prekey. */
  | "wrong-signature";

/** PQXDH as initiator. The new session is the current one; the one before is archived. */
export function* beginSession(
  record: SessionRecord | undefined,
  context: SessionContext,
  bundle: PrekeyBundle,
): Operation<SessionBegun> {
  const { local, remote, nowMs } = context;
  if (isSameDevice(local, remote) || equalBytes(local.keys.identity, remote.identity))
    return refused("own-session");
  if (bundle.deviceId !== remote.deviceId) return refused("wrong-device");
  try {
    const chosen = choosePrekeys(bundle);
    if (chosen === undefined) return refused("no-kyber-prekey");
    if (!(yield* areSigned(remote.identity, chosen))) return refused("wrong-signature");
    const state = yield* initiate(context, bundle.registrationId, chosen);
    return { kind: "begun", record: withNewSession(record, state, nowMs) };
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "invalid-key") return refused("invalid-key");
    throw cause;
  }
}

interface ChosenPrekeys {
  readonly signed: NonNullable<PrekeyBundle["signedPrekey"]>;
  readonly kyber: {
    readonly id: number;
    readonly publicKey: Uint8Array;
    readonly signature: Uint8Array;
  };
  readonly oneTime: { readonly id: number; readonly publicKey: Uint8Array } | undefined;
}

/** The one-time prekey, both halves of it, where there is one. */
function choosePrekeys(bundle: PrekeyBundle): ChosenPrekeys | undefined {
  const { signedPrekey: signed, oneTimePrekey, lastResortPrekey } = bundle;
  if (signed === undefined) return undefined;
  if (oneTimePrekey !== undefined) {
    const { id, curvePublicKey, kyberPublicKey, kyberSignature } = oneTimePrekey;
    return {
      signed,
      kyber: { id, publicKey: kyberPublicKey, signature: kyberSignature },
      oneTime: { id, publicKey: curvePublicKey },
    };
  }
  if (lastResortPrekey === undefined) return undefined;
  return { signed, kyber: lastResortPrekey, oneTime: undefined };
}

/** Both signatures (PQXDH section 3.3; e2ee.md 4). */
function* areSigned(identity: Uint8Array, { signed, kyber }: ChosenPrekeys): Operation<boolean> {
  for (const { publicKey, signature } of [signed, kyber])
    if (!(yield* verifyAsIdentity({ identity, message: publicKey, signature }))) return false;
  return true;
}

function* initiate(
  { local, remote, nowMs, random }: SessionContext,
  remoteRegistrationId: number,
  { signed, kyber, oneTime }: ChosenPrekeys,
): Operation<SessionState> {
  const basePrivate = random(32);
  const baseKey = curveKey(yield* x25519PublicKey(basePrivate));
  const { ciphertext, sharedSecret } = encapsulateTo(kyber.publicKey, random(32));
  const remoteSignedPrekey = montgomeryPart(signed.publicKey);
  const keys = yield* initiatorKeys({
    identityPrivate: local.keys.x25519Private,
    basePrivate,
    sharedSecret,
    remoteIdentity: montgomeryPart(remote.identity),
    remoteSignedPrekey,
    remoteOneTimePrekey: oneTime && montgomeryPart(oneTime.publicKey),
  });
  // The initiator turns the ratchet at once, against the signed prekey (Double Ratchet section 5.1).
  const turned = yield* newSendingChain({
    ratchetPrivate: random(32),
    remote: remoteSignedPrekey,
    rootKey: keys.rootKey,
  });
  return create(SessionStateSchema, {
    localIdentity: local.keys.identity,
    remoteIdentity: remote.identity,
    localRegistrationId: local.registrationId,
    remoteRegistrationId,
    ...turned,
    baseKey,
    pendingPrekey: {
      oneTimePrekeyId: oneTime?.id ?? 0,
      signedPrekeyId: signed.id,
      kyberPrekeyId: kyber.id,
      kyberCiphertext: ciphertext,
      baseKey,
    },
    createdAtMs: BigInt(nowMs),
    pqRatchet: newPqRatchet(true, keys.pqRatchetKey),
  });
}

/** Keys and ciphertexts carry 0x08 on the wire. */
function encapsulateTo(wireKey: Uint8Array, random: Uint8Array): Encapsulated {
  if (wireKey[0] !== KYBER_KEY_TYPE) throw new CryptoError("invalid-key", "not a Kyber-1024 key");
  const { ciphertext, sharedSecret } = kyberEncapsulate(wireKey.subarray(1), random);
  return { ciphertext: concatBytes(Uint8Array.of(KYBER_KEY_TYPE), ciphertext), sharedSecret };
}

function refused(reason: BundleRefusal): SessionBegun {
  return { kind: "refused", reason };
}
