import { create } from "@bufbuild/protobuf";
import {
  concatBytes,
  copyOf,
  type SessionState,
  SessionStateSchema,
  toHex,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { curveKey, montgomeryPart } from "../identity/device-keys.ts";
import { type Operation, x25519PublicKey } from "../operation.ts";
import { sha256 } from "../primitives/hash.ts";
import { kyberDecapsulate } from "../primitives/kyber1024.ts";
import { uint32Bytes } from "../primitives/text.ts";
import type { PrekeySignalMessage } from "../ratchet/prekey-signal-message.ts";
import type { HandshakeUse, PrekeysForMessage, SessionContext } from "../ratchet/session-api.ts";
import { newPqRatchet } from "../spqr/pq-ratchet.ts";
import { responderKeys } from "./pqxdh.ts";
import { KYBER_KEY_TYPE, type SignedPrekeySecret } from "./prekeys.ts";

export type SessionAccepted =
  | { readonly kind: "accepted"; readonly state: SessionState; readonly use: HandshakeUse }
  | {
      readonly kind: "failed";
      readonly cause: "unknown-prekey" | "replayed-handshake" | "malformed";
    };

/** PQXDH as responder (section 3.4). Nothing counts until the message inside proves genuine. */
export function* acceptSession(
  { local, remote, nowMs }: SessionContext,
  message: PrekeySignalMessage,
  prekeys: PrekeysForMessage | undefined,
): Operation<SessionAccepted> {
  const found = prekeys && matchPrekeys(message, prekeys);
  if (found === undefined) return { kind: "failed", cause: "unknown-prekey" };
  if (found === "replayed") return { kind: "failed", cause: "replayed-handshake" };
  const { signed, kyberSeed, oneTimePrivate, use } = found;
  try {
    const keys = yield* responderKeys({
      identityPrivate: local.keys.x25519Private,
      signedPrekeyPrivate: signed.privateKey,
      oneTimePrivate,
      sharedSecret: yield* decapsulate(kyberSeed, message.kyberCiphertext),
      remoteIdentity: montgomeryPart(remote.identity),
      remoteBase: montgomeryPart(message.baseKey),
    });
    // The signed prekey is the responder's first ratchet key (Double Ratchet section 5.1).
    const sending = {
      ratchetPrivate: signed.privateKey,
      ratchetPublic: curveKey(yield* x25519PublicKey(signed.privateKey)),
      chainKey: keys.chainKey,
    };
    const state = create(SessionStateSchema, {
      localIdentity: local.keys.identity,
      remoteIdentity: remote.identity,
      localRegistrationId: local.registrationId,
      remoteRegistrationId: message.registrationId,
      rootKey: keys.rootKey,
      sending,
      baseKey: copyOf(message.baseKey),
      createdAtMs: BigInt(nowMs),
      pqRatchet: newPqRatchet(false, keys.pqRatchetKey),
    });
    return { kind: "accepted", state, use };
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code !== "misuse")
      return { kind: "failed", cause: "malformed" };
    throw cause;
  }
}

/** Names one handshake on a last-resort prekey: the same one again is a replay (e2ee.md 4). */
export function lastResortUseOf(message: PrekeySignalMessage): string | undefined {
  const { oneTimePrekeyId, kyberPrekeyId, signedPrekeyId, baseKey } = message;
  if (oneTimePrekeyId !== undefined) return undefined;
  return toHex(
    sha256(concatBytes(uint32Bytes(kyberPrekeyId), uint32Bytes(signedPrekeyId), baseKey)),
  );
}

interface MatchedPrekeys {
  readonly signed: SignedPrekeySecret;
  readonly kyberSeed: Uint8Array;
  readonly oneTimePrivate: Uint8Array | undefined;
  readonly use: HandshakeUse;
}

/** A one-time prekey is used with both its halves, or not at all. */
function matchPrekeys(
  message: PrekeySignalMessage,
  { signedPrekey: signed, oneTimePrekey, lastResortPrekey, lastResortUsed }: PrekeysForMessage,
): MatchedPrekeys | "replayed" | undefined {
  const { oneTimePrekeyId, kyberPrekeyId } = message;
  if (signed?.id !== message.signedPrekeyId) return undefined;
  const lastResortUse = lastResortUseOf(message);
  if (lastResortUse !== undefined) {
    if (lastResortPrekey?.id !== kyberPrekeyId) return undefined;
    if (lastResortUsed) return "replayed";
    const use = { oneTimePrekeyId: undefined, lastResortUse };
    return { signed, kyberSeed: lastResortPrekey.kyberSeed, oneTimePrivate: undefined, use };
  }
  if (oneTimePrekey === undefined || oneTimePrekey.id !== oneTimePrekeyId) return undefined;
  if (kyberPrekeyId !== oneTimePrekeyId) return undefined;
  const { kyberSeed, curvePrivate } = oneTimePrekey;
  const use = { oneTimePrekeyId, lastResortUse: undefined };
  return { signed, kyberSeed, oneTimePrivate: curvePrivate, use };
}

function* decapsulate(seed: Uint8Array, wireCiphertext: Uint8Array): Operation<Uint8Array> {
  if (wireCiphertext[0] !== KYBER_KEY_TYPE)
    throw new CryptoError("malformed", "not a Kyber-1024 ciphertext");
  return yield* kyberDecapsulate(seed, wireCiphertext.subarray(1));
}
