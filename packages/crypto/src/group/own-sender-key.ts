import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  concatBytes,
  copyOf,
  type OwnSenderKey,
  OwnSenderKeySchema,
  type SenderKeyHolder,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { identityOf } from "../identity/device-keys.ts";
import { ed25519PublicKey, type Operation } from "../operation.ts";
import type { RandomBytes, RemoteDevice } from "../ratchet/session-api.ts";
import { devicesLacking, isHeldByOthers } from "./holders.ts";
import { type RotationReason, rotationDue } from "./rotation.ts";
import { encodeDistribution } from "./sender-key-message.ts";

const DISTRIBUTION_ID_BYTES = 16;
const KEY_BYTES = 32;

export interface NewSenderKey {
  readonly groupId: Uint8Array;
  readonly nowMs: number;
  readonly random: RandomBytes;
}

/** A key for one group, and at each rotation a new one: nothing of the key before goes into it. */
export function* makeSenderKey({ groupId, nowMs, random }: NewSenderKey): Operation<OwnSenderKey> {
  const signingSeed = random(KEY_BYTES);
  const signingPublic = yield* ed25519PublicKey(signingSeed);
  return create(OwnSenderKeySchema, {
    groupId,
    distributionId: random(DISTRIBUTION_ID_BYTES),
    chainId: chainIdFrom(random(4)),
    chainKey: random(KEY_BYTES),
    iteration: 0,
    signingSeed,
    signingPublic,
    createdAtMs: BigInt(nowMs),
  });
}

/** What a device is given: the chain at its present place, so that nothing earlier can be read with it. */
export function distributionOf(own: OwnSenderKey): Uint8Array {
  const { distributionId, chainId, iteration, chainKey, signingPublic } = own;
  const signingKey = identityOf(signingPublic);
  return encodeDistribution({ distributionId, chainId, iteration, chainKey, signingKey });
}

/** A key that may send to exactly these devices: only `prepareToSend` makes one, and `encryptToGroup` takes no other. */
export interface ReadySenderKey {
  readonly own: OwnSenderKey;
  readonly receivingDevices: number;
  readonly [READY]: true;
}

export type SendPreparation =
  | { readonly kind: "ready"; readonly key: ReadySenderKey }
  /** Make a new key, then prepare again. */
  | { readonly kind: "rotate"; readonly reason: RotationReason }
  /** Send these devices a distribution, and store that (`withHolders`), then prepare again. */
  | { readonly kind: "distribute"; readonly lacking: readonly RemoteDevice[] };

/**
 * Holds a sender key against the devices that are to receive: all other devices of all members, our own account's
 * included. To be asked again whenever that list has changed.
 */
export function prepareToSend(
  own: OwnSenderKey,
  devices: readonly RemoteDevice[],
  nowMs: number,
): SendPreparation {
  const receivingDevices = devices.length;
  const due = rotationDue(own, { receivingDevices, nowMs });
  if (due !== undefined) return { kind: "rotate", reason: due };
  if (isHeldByOthers(own, devices)) return { kind: "rotate", reason: "holder-removed" };
  const lacking = devicesLacking(own, devices);
  if (lacking.length > 0) return { kind: "distribute", lacking };
  return { kind: "ready", key: readyKey(own, receivingDevices) };
}

/** For `encryptToGroup`, whose key goes on being ready for the same devices. */
export function readyKey(own: OwnSenderKey, receivingDevices: number): ReadySenderKey {
  return { own, receivingDevices, [READY]: true };
}

const READY: unique symbol = Symbol("ready");

export function encodeOwnSenderKey(own: OwnSenderKey): Uint8Array {
  const { holders } = own;
  if (holders.length === 0) return toBinary(OwnSenderKeySchema, own);
  let encoded = encodedHolders.get(holders);
  if (encoded === undefined) {
    encoded = toBinary(OwnSenderKeySchema, create(OwnSenderKeySchema, { holders }));
    encodedHolders.set(holders, encoded);
  }
  // Two encodings one after the other are that of both together: protobuf merges them.
  return concatBytes(toBinary(OwnSenderKeySchema, { ...own, holders: [] }), encoded);
}

/** Of lists that stay what they are: in a large group they are most of what is written with every message. */
const encodedHolders = new WeakMap<readonly SenderKeyHolder[], Uint8Array>();

/** Throws `malformed`. Copies: the record does not hang on the row that it came from. */
export function decodeOwnSenderKey(bytes: Uint8Array): OwnSenderKey {
  try {
    return fromBinary(OwnSenderKeySchema, copyOf(bytes));
  } catch {
    throw new CryptoError("malformed", "not a sender key of our own");
  }
}

/** 31 bits, as libsignal draws it. */
function chainIdFrom(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) >>> 1;
}
