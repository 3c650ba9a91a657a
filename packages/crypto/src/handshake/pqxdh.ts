import { concatBytes } from "@parley/protocol";
import { type Operation, x25519 } from "../operation.ts";
import { hkdfSha256 } from "../primitives/hash.ts";
import { ascii } from "../primitives/text.ts";

/** What a handshake gives both sides. */
export interface HandshakeKeys {
  readonly rootKey: Uint8Array;
  /** Of the responder's first sending chain, whose ratchet key is its signed prekey. */
  readonly chainKey: Uint8Array;
  /** Where the post-quantum ratchet begins. */
  readonly pqRatchetKey: Uint8Array;
}

/** X25519 keys: private halves 32 bytes, public ones 32 bytes u. */
export interface InitiatorSecrets {
  readonly identityPrivate: Uint8Array;
  readonly basePrivate: Uint8Array;
  readonly sharedSecret: Uint8Array;
  readonly remoteIdentity: Uint8Array;
  readonly remoteSignedPrekey: Uint8Array;
  readonly remoteOneTimePrekey: Uint8Array | undefined;
}

/** PQXDH section 3.3, the initiator: DH1 to DH4, then the Kyber secret. */
export function* initiatorKeys(secrets: InitiatorSecrets): Operation<HandshakeKeys> {
  const { identityPrivate, basePrivate, remoteSignedPrekey, remoteOneTimePrekey } = secrets;
  const parts = [
    yield* x25519(identityPrivate, remoteSignedPrekey),
    yield* x25519(basePrivate, secrets.remoteIdentity),
    yield* x25519(basePrivate, remoteSignedPrekey),
  ];
  if (remoteOneTimePrekey !== undefined)
    parts.push(yield* x25519(basePrivate, remoteOneTimePrekey));
  return deriveKeys(concatBytes(...parts, secrets.sharedSecret));
}

export interface ResponderSecrets {
  readonly identityPrivate: Uint8Array;
  readonly signedPrekeyPrivate: Uint8Array;
  readonly oneTimePrivate: Uint8Array | undefined;
  readonly sharedSecret: Uint8Array;
  readonly remoteIdentity: Uint8Array;
  readonly remoteBase: Uint8Array;
}

/** PQXDH section 3.4: the same secrets from the other side. */
export function* responderKeys(secrets: ResponderSecrets): Operation<HandshakeKeys> {
  const { signedPrekeyPrivate, oneTimePrivate, remoteBase } = secrets;
  const parts = [
    yield* x25519(signedPrekeyPrivate, secrets.remoteIdentity),
    yield* x25519(secrets.identityPrivate, remoteBase),
    yield* x25519(signedPrekeyPrivate, remoteBase),
  ];
  if (oneTimePrivate !== undefined) parts.push(yield* x25519(oneTimePrivate, remoteBase));
  return deriveKeys(concatBytes(...parts, secrets.sharedSecret));
}

/** F || KM (PQXDH section 2.2), with libsignal's info and length (e2ee.md 2). */
function deriveKeys(keyMaterial: Uint8Array): HandshakeKeys {
  const ikm = concatBytes(DISCONTINUITY, keyMaterial);
  const keys = hkdfSha256({ ikm, info: INFO, length: 96 });
  return {
    rootKey: keys.slice(0, 32),
    chainKey: keys.slice(32, 64),
    pqRatchetKey: keys.slice(64),
  };
}

const INFO = ascii("WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024");
/** 32 bytes 0xFF: a domain of its own beside XEdDSA's inputs. */
const DISCONTINUITY = new Uint8Array(32).fill(0xff);
