import { fromBinary } from "@bufbuild/protobuf";
import {
  copyOf,
  equalBytes,
  type JoinRequest,
  type JoinRequestBody,
  JoinRequestBodySchema,
  validate,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { LABELS, labelled } from "../labels.ts";
import { ed25519PublicKey, type Operation } from "../operation.ts";
import { aesGcmOpen, aesGcmSeal } from "../primitives/cipher.ts";
import { hkdfSha256 } from "../primitives/hash.ts";
import { ascii } from "../primitives/text.ts";
import { type GroupState, listOf } from "./group-state.ts";
import { type DevicesAt, isSignedBy } from "./verify-group-entry.ts";

/** In the part of a link that no server is sent: `…/g#<secret>`. */
export const INVITE_SECRET_BYTES = 16;

/** What the secret of a link gives (trust.md 4). */
export interface InviteKeys {
  readonly id: Uint8Array;
  /** Ed25519 seed: a join is signed with it, so that the server can make none. */
  readonly signingSeed: Uint8Array;
  /** Ed25519 public key: stands in the group's chain. */
  readonly key: Uint8Array;
  /** Opens what lies beside the link: name, picture, group key and head. */
  readonly wrapKey: Uint8Array;
}

export function* deriveInviteKeys(secret: Uint8Array): Operation<InviteKeys> {
  if (secret.length !== INVITE_SECRET_BYTES)
    throw new CryptoError("misuse", `the secret of a link has ${INVITE_SECRET_BYTES} bytes`);
  const derive = (label: string, length: number) =>
    hkdfSha256({ ikm: secret, info: ascii(label), length });
  const signingSeed = derive(LABELS.inviteSigningKey, 32);
  return {
    id: derive(LABELS.inviteId, 16),
    signingSeed,
    key: yield* ed25519PublicKey(signingSeed),
    wrapKey: derive(LABELS.inviteWrapKey, 32),
  };
}

/** `nonce` is 12 random bytes. */
export function wrapForInvite(
  { id, wrapKey }: InviteKeys,
  contents: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  return aesGcmSeal({ key: wrapKey, nonce, aad: inviteAad(id) }, contents);
}

/** Throws `not-authentic`. */
export function unwrapFromInvite(
  { id, wrapKey }: InviteKeys,
  wrapped: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  return aesGcmOpen({ key: wrapKey, nonce, aad: inviteAad(id) }, wrapped);
}

export type JoinRequestVerdict =
  | { readonly kind: "genuine"; readonly request: JoinRequestBody }
  /** The joiner's list is not known here yet. */
  | { readonly kind: "waits" }
  | { readonly kind: "refused" };

/** Whether a request comes from a device of that account, and from somebody who has the link. */
export function* verifyJoinRequest(
  state: GroupState,
  { body, deviceSignature, inviteSignature }: JoinRequest,
  devicesAt: DevicesAt,
): Operation<JoinRequestVerdict> {
  const request = readRequest(body);
  const joiner = request?.joiner;
  if (request === undefined || joiner === undefined) return REFUSED;
  const invite = state.invites.find(({ id }) => equalBytes(id, request.inviteId));
  if (invite === undefined || !equalBytes(request.groupId, state.groupId)) return REFUSED;
  const devices = devicesAt(joiner.accountId, listOf(joiner));
  if (devices === undefined) return { kind: "waits" };
  const { deviceKey } = joiner;
  if (!devices.some(({ identityKey }) => equalBytes(identityKey, deviceKey))) return REFUSED;
  const byDevice = { body, signature: deviceSignature };
  if (!(yield* isSignedBy(deviceKey, LABELS.groupRequest, byDevice))) return REFUSED;
  const byInvite = { body, signature: inviteSignature };
  if (!(yield* isSignedBy(invite.key, LABELS.groupJoin, byInvite))) return REFUSED;
  return { kind: "genuine", request };
}

const REFUSED = { kind: "refused" } as const;

function readRequest(body: Uint8Array): JoinRequestBody | undefined {
  try {
    const request = fromBinary(JoinRequestBodySchema, copyOf(body));
    validate(JoinRequestBodySchema, request, "client");
    return request;
  } catch {
    return undefined;
  }
}

function inviteAad(id: Uint8Array): Uint8Array {
  return labelled(LABELS.inviteContents, id);
}
