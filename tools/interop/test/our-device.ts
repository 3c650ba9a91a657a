import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import * as signal from "@signalapp/libsignal-client";
import {
  beginSession,
  type DecryptOutcome,
  decodeSessionRecord,
  decrypt,
  deriveDeviceKeys,
  encodeSessionRecord,
  encrypt,
  makeLastResortPrekey,
  makeOneTimePrekey,
  makeSignedPrekey,
  type OneTimePrekeySecret,
  type Operation,
  parsePrekeyMessage,
  runSync,
  type SessionContext,
} from "../../../packages/crypto/src/index.ts";
import { nodeProvider } from "../../../packages/crypto/src/platform/node.ts";
import {
  type PrekeyBundle,
  PrekeyBundleSchema,
  type SessionRecord,
  toUuid,
} from "../../../packages/protocol/src/index.ts";
import { owned, type Peer, type PublishedPrekeys } from "./peer.ts";

const provider = nodeProvider();
const run = <T>(operation: Operation<T>): T => runSync(provider, operation);

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

/** A device with our own implementation, talking to one peer. */
export class OurDevice {
  readonly keys = run(deriveDeviceKeys(randomBytes(32)));
  readonly local = { accountId: randomBytes(16), deviceId: 1, registrationId: 55, keys: this.keys };
  readonly address = signal.ProtocolAddress.new(toUuid(this.local.accountId), 1);
  readonly signed = { id: 3, privateKey: randomBytes(32) };
  readonly lastResort = { id: 4, kyberSeed: randomBytes(64) };
  readonly oneTime = new Map<number, OneTimePrekeySecret>();
  readonly #lastResortUses = new Set<string>();
  readonly #peer: Peer;
  /** As stored. */
  stored: Uint8Array | undefined;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** A bundle of ours as libsignal reads it. */
  bundleForPeer({ oneTimeId }: { oneTimeId?: number } = {}): signal.PreKeyBundle {
    const signed = run(makeSignedPrekey(this.keys, this.signed)).public;
    const lastResort = run(makeLastResortPrekey(this.keys, this.lastResort)).public;
    let oneTimeKey: signal.PublicKey | null = null;
    let kyber = lastResort;
    if (oneTimeId !== undefined) {
      const secret = { id: oneTimeId, curvePrivate: randomBytes(32), kyberSeed: randomBytes(64) };
      this.oneTime.set(oneTimeId, secret);
      const made = run(makeOneTimePrekey(this.keys, secret)).public;
      oneTimeKey = signal.PublicKey.deserialize(owned(made.curvePublicKey));
      kyber = {
        ...lastResort,
        id: oneTimeId,
        publicKey: made.kyberPublicKey,
        signature: made.kyberSignature,
      };
    }
    return signal.PreKeyBundle.new(
      this.local.registrationId,
      this.local.deviceId,
      oneTimeKey === null ? null : (oneTimeId as number),
      oneTimeKey,
      signed.id,
      signal.PublicKey.deserialize(owned(signed.publicKey)),
      owned(signed.signature),
      signal.PublicKey.deserialize(owned(this.keys.identity)),
      kyber.id,
      signal.KEMPublicKey.deserialize(owned(kyber.publicKey)),
      owned(kyber.signature),
    );
  }

  /** Begins a session on what the peer publishes: its one-time prekey has one id for both halves. */
  async begin({ oneTimeId }: { oneTimeId?: number } = {}): Promise<void> {
    const ids = { signed: 7, kyber: oneTimeId ?? 8 };
    const published = await this.#peer.publish(
      oneTimeId === undefined ? ids : { ...ids, oneTime: oneTimeId },
    );
    this.beginOn(bundleOf(this.#peer, published, ids));
  }

  beginOn(bundle: PrekeyBundle): void {
    const begun = run(beginSession(this.record(), this.#context(), bundle));
    if (begun.kind === "refused") throw new Error(begun.reason);
    this.stored = encodeSessionRecord(begun.record);
  }

  encrypt(plaintext: Uint8Array): Uint8Array {
    const record = this.record();
    if (record === undefined) throw new Error("no session");
    const sent = run(encrypt(record, this.#context(), plaintext));
    this.stored = encodeSessionRecord(sent.record);
    return sent.ciphertext;
  }

  decrypt(ciphertext: Uint8Array): DecryptOutcome {
    const needs = parsePrekeyMessage(ciphertext);
    const prekeys = needs && {
      signedPrekey: needs.signedPrekeyId === this.signed.id ? this.signed : undefined,
      oneTimePrekey: this.oneTime.get(needs.oneTimePrekeyId ?? 0),
      lastResortPrekey: this.lastResort,
      lastResortUsed: this.#lastResortUses.has(needs.lastResortUse ?? ""),
    };
    const outcome = run(decrypt(this.record(), this.#context(), { ciphertext, prekeys }));
    if (outcome.kind === "plaintext") {
      this.stored = encodeSessionRecord(outcome.record);
      const { oneTimePrekeyId, lastResortUse } = outcome.handshake ?? {};
      if (oneTimePrekeyId !== undefined) this.oneTime.delete(oneTimePrekeyId);
      if (lastResortUse !== undefined) this.#lastResortUses.add(lastResortUse);
    }
    return outcome;
  }

  record(): SessionRecord | undefined {
    return this.stored && decodeSessionRecord(this.stored);
  }

  #context(): SessionContext {
    const identity = this.#peer.identity.publicKey.serialize();
    const accountId = Buffer.from(this.#peer.address.name().replaceAll("-", ""), "hex");
    const remote = { accountId, deviceId: this.#peer.address.deviceId(), identity };
    return { local: this.local, remote, nowMs: Date.now(), random: randomBytes };
  }
}
