import { concatBytes, type OwnSenderKey } from "@parley/protocol";
import { signAsIdentity } from "../identity/device-keys.ts";
import type { Operation } from "../operation.ts";
import { aesCbcEncrypt } from "../primitives/cipher.ts";
import { chainStep } from "../ratchet/ratchet-keys.ts";
import { groupMessageKeys } from "./group-message-keys.ts";
import { type ReadySenderKey, readyKey } from "./own-sender-key.ts";
import { type RotationReason, rotationDue } from "./rotation.ts";
import { SENDER_KEY_MESSAGE_KIND, signedPartOf } from "./sender-key-message.ts";

export type EncryptedToGroup =
  | {
      readonly kind: "encrypted";
      /** Replaces the key that was given: store it before the ciphertext leaves. */
      readonly own: OwnSenderKey;
      /** For the next message, as long as the same devices receive. */
      readonly key: ReadySenderKey;
      /** Its kind byte first. One for all devices. */
      readonly ciphertext: Uint8Array;
    }
  /** The key has come to its end: nothing was encrypted. */
  | { readonly kind: "rotate"; readonly reason: RotationReason };

/** One ciphertext for all devices of a group, signed by this chain's own key (e2ee.md 2, sender keys). */
export function* encryptToGroup(
  key: ReadySenderKey,
  plaintext: Uint8Array,
  nowMs: number,
): Operation<EncryptedToGroup> {
  const { own, receivingDevices } = key;
  const reason = rotationDue(own, { receivingDevices, nowMs });
  if (reason !== undefined) return { kind: "rotate", reason };
  const { nextChainKey, seed } = chainStep(own.chainKey);
  const { cipherKey, iv } = groupMessageKeys(seed);
  const signed = signedPartOf({
    distributionId: own.distributionId,
    chainId: own.chainId,
    iteration: own.iteration,
    ciphertext: aesCbcEncrypt(cipherKey, iv, plaintext),
  });
  const signer = { seed: own.signingSeed, ed25519Public: own.signingPublic };
  const signature = yield* signAsIdentity(signer, signed);
  const next = { ...own, chainKey: nextChainKey, iteration: own.iteration + 1 };
  return {
    kind: "encrypted",
    own: next,
    key: readyKey(next, receivingDevices),
    ciphertext: concatBytes(Uint8Array.of(SENDER_KEY_MESSAGE_KIND), signed, signature),
  };
}
