import { concatBytes } from "@parley/protocol";
import { LABELS, labelled } from "../labels.ts";
import { padContent, unpadContent } from "../padding.ts";
import { aesGcmOpen, aesGcmSeal } from "../primitives/cipher.ts";

const NONCE_BYTES = 12;

export type GroupDetail = "name" | "picture" | "description";

export interface GroupDetailKey {
  /** New at each removal, made by the remover; rides in every key distribution (trust.md 4). */
  readonly groupKey: Uint8Array;
  readonly groupId: Uint8Array;
  readonly detail: GroupDetail;
}

/** `nonce` is 12 random bytes. The layout stands in the schema, at `GroupDetails`. */
export function sealGroupDetail(
  { groupKey, groupId, detail }: GroupDetailKey,
  plaintext: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const aead = { key: groupKey, nonce, aad: detailAad(groupId, detail) };
  return concatBytes(nonce, aesGcmSeal(aead, padContent(plaintext)));
}

/** Undefined where it is not sealed under this key, for this group and place. */
export function openGroupDetail(
  { groupKey, groupId, detail }: GroupDetailKey,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  if (nonce.length < NONCE_BYTES) return undefined;
  try {
    const aead = { key: groupKey, nonce, aad: detailAad(groupId, detail) };
    return unpadContent(aesGcmOpen(aead, sealed.subarray(NONCE_BYTES)));
  } catch {
    return undefined;
  }
}

function detailAad(groupId: Uint8Array, detail: GroupDetail): Uint8Array {
  return labelled(LABELS.groupDetails, groupId, Uint8Array.of(DETAILS.indexOf(detail) + 1));
}

const DETAILS: readonly GroupDetail[] = ["name", "picture", "description"];
