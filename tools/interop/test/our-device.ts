import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import * as signal from "@signalapp/libsignal-client";
import type { RandomBytes, RemoteDevice } from "../../../packages/crypto/src/index.ts";
import { nodeProvider } from "../../../packages/crypto/src/platform/node.ts";
import { LoneDevice } from "../../../packages/crypto/test/fixtures/lone-device.ts";
import {
  type PrekeyBundle,
  PrekeyBundleSchema,
  toUuid,
} from "../../../packages/protocol/src/index.ts";
import { owned, type Peer, type PublishedPrekeys } from "./peer.ts";

export const provider = nodeProvider();

export const MESSAGE = 0x02;
export const PREKEY_MESSAGE = 0x03;

/** What the peer published, as our server would hand it out. */
export function bundleOf(
  peer: Peer,
  published: PublishedPrekeys,
  ids = { signed: 7, kyber: 8 },
): PrekeyBundle {
  const { oneTimePublic, kyberPublic, kyberSignature } = published;
  const kyber = { id: ids.kyber, publicKey: kyberPublic, signature: kyberSignature };
  return create(PrekeyBundleSchema, {
    deviceId: peer.address.deviceId(),
    registrationId: peer.registrationId,
    signedPrekey: {
      id: ids.signed,
      publicKey: published.signedPublic,
      signature: published.signedSignature,
    },
    ...(oneTimePublic === undefined
      ? { lastResortPrekey: kyber }
      : {
          oneTimePrekey: {
            id: ids.kyber,
            curvePublicKey: oneTimePublic,
            kyberPublicKey: kyberPublic,
            kyberSignature,
          },
        }),
  });
}

/** A peer's device as our account chains would list it. */
export function remoteOf({ address, identity }: Peer): RemoteDevice {
  return {
    accountId: Buffer.from(address.name().replaceAll("-", ""), "hex"),
    deviceId: address.deviceId(),
    identity: identity.publicKey.serialize(),
  };
}

export interface OurDeviceSettings {
  readonly random?: RandomBytes;
  readonly nowMs?: number;
}

/** A device with our own implementation, talking to one peer. */
export class OurDevice extends LoneDevice {
  readonly address: signal.ProtocolAddress;
  readonly #peer: Peer;

  constructor(peer: Peer, { random = randomBytes, nowMs = Date.now() }: OurDeviceSettings = {}) {
    super({ provider, random, remote: remoteOf(peer), nowMs });
    this.#peer = peer;
    this.address = signal.ProtocolAddress.new(toUuid(this.local.accountId), 1);
  }

  /** A bundle of ours as libsignal reads it. */
  bundleForPeer({ oneTimeId }: { oneTimeId?: number | undefined } = {}): signal.PreKeyBundle {
    return signalBundleOf(this.offer(oneTimeId), this.keys.identity);
  }

  /** What the peer publishes: its one-time prekey has one id for both halves. */
  async bundleOfPeer(oneTimeId?: number): Promise<PrekeyBundle> {
    const ids = { signed: 7, kyber: oneTimeId ?? 8 };
    const asked = oneTimeId === undefined ? ids : { ...ids, oneTime: oneTimeId };
    return bundleOf(this.#peer, await this.#peer.publish(asked), ids);
  }
}

export function signalBundleOf(bundle: PrekeyBundle, identity: Uint8Array): signal.PreKeyBundle {
  const { registrationId, deviceId, signedPrekey: signed, oneTimePrekey: oneTime } = bundle;
  const kyber = oneTime
    ? { id: oneTime.id, publicKey: oneTime.kyberPublicKey, signature: oneTime.kyberSignature }
    : bundle.lastResortPrekey;
  if (signed === undefined || kyber === undefined) throw new Error("a bundle without its prekeys");
  return signal.PreKeyBundle.new(
    registrationId,
    deviceId,
    oneTime?.id ?? null,
    oneTime ? signal.PublicKey.deserialize(owned(oneTime.curvePublicKey)) : null,
    signed.id,
    signal.PublicKey.deserialize(owned(signed.publicKey)),
    owned(signed.signature),
    signal.PublicKey.deserialize(owned(identity)),
    kyber.id,
    signal.KEMPublicKey.deserialize(owned(kyber.publicKey)),
    owned(kyber.signature),
  );
}
