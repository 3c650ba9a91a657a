import { create } from "@bufbuild/protobuf";
import {
  type Braid,
  BraidPhase,
  BraidSchema,
  concatBytes,
  copyOf,
  equalBytes,
} from "@parley/protocol";
import type { Operation } from "../operation.ts";
import {
  CIPHERTEXT_1_BYTES,
  CIPHERTEXT_2_BYTES,
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  HEADER_BYTES,
  KEY_VECTOR_BYTES,
  MESSAGE_BYTES,
  SEED_BYTES,
  splitKeyOf,
  vectorFits,
} from "../primitives/mlkem768-split.ts";
import type { RandomBytes } from "../ratchet/session-api.ts";
import {
  type Authenticator,
  epochSecretOf,
  MAC_BYTES,
  macOfCiphertext,
  macOfHeader,
  newAuthenticator,
  updated,
} from "./authenticator.ts";
import type { BraidPayload } from "./braid-message.ts";
import { CHUNK_INDEX_MAX, type Chunk, chunkOf, messageOf } from "./erasure-code.ts";

/**
 * The ML-KEM Braid (section 2.5): two sides agree on one secret after the other, in pieces that ride on their
 * messages. States and steps have the specification's names. A state that is given never changes.
 */
export interface EpochSecret {
  readonly epoch: bigint;
  readonly secret: Uint8Array;
}

export interface BraidStep {
  readonly braid: Braid;
  /** The secret that this step has brought. */
  readonly emitted?: EpochSecret | undefined;
}

export interface BraidSent extends BraidStep {
  readonly payload: BraidPayload;
}

/** Something that no honest side sends: nothing may change. */
export class BraidError extends Error {
  override readonly name = "BraidError";
}

/** Who begins the session brings the first key (InitAlice, InitBob). */
export function newBraid(isInitiator: boolean, key: Uint8Array): Braid {
  const epoch = 1n;
  const phase = isInitiator ? BraidPhase.KEYS_UNSAMPLED : BraidPhase.NO_HEADER_RECEIVED;
  return begin(phase, epoch, newAuthenticator(epoch, key));
}

/** Send: what rides on the next message. */
export function* braidSend(braid: Braid, random: RandomBytes): Operation<BraidSent> {
  switch (braid.phase) {
    case BraidPhase.KEYS_UNSAMPLED:
      return yield* sampleKeys(braid, random(SEED_BYTES));
    case BraidPhase.KEYS_SAMPLED:
      return sendChunk(braid, "header");
    case BraidPhase.HEADER_SENT:
      return sendChunk(braid, "ek");
    case BraidPhase.CT1_RECEIVED:
      return sendChunk(braid, "ek-ct1-ack");
    case BraidPhase.EK_SENT_CT1_RECEIVED:
      return { braid, payload: { kind: "ct1-ack" } };
    case BraidPhase.HEADER_RECEIVED:
      return sampleCiphertext(braid, random(MESSAGE_BYTES));
    case BraidPhase.CT1_SAMPLED:
    case BraidPhase.EK_RECEIVED_CT1_SAMPLED:
      return sendChunk(braid, "ct1");
    case BraidPhase.CT2_SAMPLED:
      return sendChunk(braid, "ct2");
    default:
      return { braid, payload: { kind: "none" } };
  }
}

/**
 * Receive: what came of the other side's, in its epoch. What is late changes nothing. Throws BraidError.
 */
export function* braidReceive(
  braid: Braid,
  epoch: bigint,
  payload: BraidPayload,
): Operation<BraidStep> {
  if (epoch < braid.epoch) return { braid };
  if (epoch > braid.epoch) return { braid: turn(braid, epoch) };
  const { chunk } = payload;
  switch (payload.kind) {
    case "none":
      return { braid };
    case "ct1-ack":
      return acknowledged(braid);
    case "header":
      return takeHeader(braid, chunk as Chunk);
    case "ct1":
      return takeCiphertext1(braid, chunk as Chunk);
    case "ct2":
      return yield* takeCiphertext2(braid, chunk as Chunk);
    case "ek":
      return takeVector(braid, chunk as Chunk, false);
    case "ek-ct1-ack":
      return takeVector(braid, chunk as Chunk, true);
  }
}

const KEY_BYTES = HEADER_BYTES + MAC_BYTES;
const CIPHERTEXT_END_BYTES = CIPHERTEXT_2_BYTES + MAC_BYTES;

function begin(phase: BraidPhase, epoch: bigint, { root, mac }: Authenticator): Braid {
  return create(BraidSchema, {
    phase,
    epoch,
    authenticatorRoot: root,
    authenticatorMac: mac,
  });
}

function authenticatorOf({ authenticatorRoot, authenticatorMac }: Braid): Authenticator {
  return { root: authenticatorRoot, mac: authenticatorMac };
}

function sendChunk(braid: Braid, kind: "header" | "ek" | "ek-ct1-ack" | "ct1" | "ct2"): BraidSent {
  const chunk = chunkOf(braid.sending, braid.nextChunk);
  const nextChunk = braid.nextChunk === CHUNK_INDEX_MAX ? 0 : braid.nextChunk + 1;
  return { braid: { ...braid, nextChunk }, payload: { kind, chunk } };
}

/** KeysUnsampled → KeysSampled. */
function* sampleKeys(braid: Braid, seed: Uint8Array): Operation<BraidSent> {
  const { header, vector } = yield* splitKeyOf(seed);
  const sending = concatBytes(header, macOfHeader(authenticatorOf(braid), braid.epoch, header));
  const phase = BraidPhase.KEYS_SAMPLED;
  return sendChunk({ ...braid, phase, seed, vector, sending, nextChunk: 0 }, "header");
}

/** HeaderReceived → Ct1Sampled: the epoch has its secret on this side. */
function sampleCiphertext(braid: Braid, encapsulated: Uint8Array): BraidSent {
  const { epoch } = braid;
  const { ciphertext1, sharedSecret } = encapsulateFirst(braid.header, encapsulated);
  const secret = epochSecretOf(sharedSecret, epoch);
  const { root, mac } = updated(authenticatorOf(braid), epoch, secret);
  const sampled: Braid = {
    ...braid,
    phase: BraidPhase.CT1_SAMPLED,
    authenticatorRoot: root,
    authenticatorMac: mac,
    encapsulated,
    ciphertext1,
    sending: ciphertext1,
    nextChunk: 0,
    received: [],
  };
  return { ...sendChunk(sampled, "ct1"), emitted: { epoch, secret } };
}

/** Ct2Sampled → KeysUnsampled: the other side has gone on to the next epoch, and this one's key is next. */
function turn(braid: Braid, epoch: bigint): Braid {
  if (braid.phase !== BraidPhase.CT2_SAMPLED || epoch !== braid.epoch + 1n)
    throw new BraidError("an epoch that cannot have begun");
  return begin(BraidPhase.KEYS_UNSAMPLED, epoch, authenticatorOf(braid));
}

/** NoHeaderReceived → HeaderReceived. */
function takeHeader(braid: Braid, chunk: Chunk): BraidStep {
  if (braid.phase !== BraidPhase.NO_HEADER_RECEIVED) return { braid };
  const { received, message } = collect(braid, chunk, KEY_BYTES);
  if (message === undefined) return { braid: { ...braid, received } };
  const header = copyOf(message, 0, HEADER_BYTES);
  const mac = macOfHeader(authenticatorOf(braid), braid.epoch, header);
  if (!equalBytes(mac, message.subarray(HEADER_BYTES)))
    throw new BraidError("a key that the other side did not make");
  return { braid: { ...braid, phase: BraidPhase.HEADER_RECEIVED, header, received: [] } };
}

/** KeysSampled → HeaderSent → Ct1Received. */
function takeCiphertext1(braid: Braid, chunk: Chunk): BraidStep {
  if (braid.phase !== BraidPhase.KEYS_SAMPLED && braid.phase !== BraidPhase.HEADER_SENT)
    return { braid };
  const isFirst = braid.phase === BraidPhase.KEYS_SAMPLED;
  const sent: Braid = isFirst
    ? { ...braid, phase: BraidPhase.HEADER_SENT, sending: braid.vector, nextChunk: 0 }
    : braid;
  const { received, message } = collect(sent, chunk, CIPHERTEXT_1_BYTES);
  if (message === undefined) return { braid: { ...sent, received } };
  const phase = BraidPhase.CT1_RECEIVED;
  return { braid: { ...sent, phase, ciphertext1: message, received: [] } };
}

/** Ct1Received → EkSentCt1Received → NoHeaderReceived of the next epoch. */
function* takeCiphertext2(braid: Braid, chunk: Chunk): Operation<BraidStep> {
  if (braid.phase !== BraidPhase.CT1_RECEIVED && braid.phase !== BraidPhase.EK_SENT_CT1_RECEIVED)
    return { braid };
  const { received, message } = collect(braid, chunk, CIPHERTEXT_END_BYTES);
  if (message === undefined)
    return { braid: { ...braid, phase: BraidPhase.EK_SENT_CT1_RECEIVED, received } };
  const { epoch, ciphertext1 } = braid;
  const ciphertext2 = copyOf(message, 0, CIPHERTEXT_2_BYTES);
  const sharedSecret = yield* decapsulate(braid.seed, ciphertext1, ciphertext2);
  const secret = epochSecretOf(sharedSecret, epoch);
  const authenticator = updated(authenticatorOf(braid), epoch, secret);
  const mac = macOfCiphertext(authenticator, epoch, concatBytes(ciphertext1, ciphertext2));
  if (!equalBytes(mac, message.subarray(CIPHERTEXT_2_BYTES)))
    throw new BraidError("a ciphertext that the other side did not make");
  const next = begin(BraidPhase.NO_HEADER_RECEIVED, epoch + 1n, authenticator);
  return { braid: next, emitted: { epoch, secret } };
}

/** Ct1Sampled → EkReceivedCt1Sampled or Ct1Acknowledged → Ct2Sampled. */
function takeVector(braid: Braid, chunk: Chunk, isAck: boolean): BraidStep {
  const { phase } = braid;
  if (phase === BraidPhase.EK_RECEIVED_CT1_SAMPLED) return isAck ? acknowledged(braid) : { braid };
  if (phase !== BraidPhase.CT1_SAMPLED && phase !== BraidPhase.CT1_ACKNOWLEDGED) return { braid };
  const isAcknowledged = isAck || phase === BraidPhase.CT1_ACKNOWLEDGED;
  const { received, message: vector } = collect(braid, chunk, KEY_VECTOR_BYTES);
  if (vector === undefined) {
    const next = isAcknowledged ? BraidPhase.CT1_ACKNOWLEDGED : phase;
    return { braid: { ...braid, phase: next, received } };
  }
  if (!vectorFits(braid.header, vector)) throw new BraidError("a key that is not its header's");
  const whole: Braid = {
    ...braid,
    phase: BraidPhase.EK_RECEIVED_CT1_SAMPLED,
    vector,
    received: [],
  };
  return isAcknowledged ? acknowledged(whole) : { braid: whole };
}

/** The other side has all of ct1: the second half follows as soon as the key is whole. */
function acknowledged(braid: Braid): BraidStep {
  if (braid.phase === BraidPhase.CT1_SAMPLED)
    return { braid: { ...braid, phase: BraidPhase.CT1_ACKNOWLEDGED } };
  if (braid.phase !== BraidPhase.EK_RECEIVED_CT1_SAMPLED) return { braid };
  const { header, vector, encapsulated, ciphertext1, epoch } = braid;
  const ciphertext2 = encapsulateSecond(header, vector, encapsulated);
  const whole = concatBytes(ciphertext1, ciphertext2);
  const mac = macOfCiphertext(authenticatorOf(braid), epoch, whole);
  const next = begin(BraidPhase.CT2_SAMPLED, epoch, authenticatorOf(braid));
  return { braid: { ...next, sending: concatBytes(ciphertext2, mac) } };
}

function collect({ received }: Braid, chunk: Chunk, sizeBytes: number) {
  const isThere = received.some(({ index }) => index === chunk.index);
  const all = isThere ? received : [...received, chunkRow(chunk)];
  return { received: all, message: messageOf(sizeBytes, all) };
}

function chunkRow({ index, data }: Chunk): Braid["received"][number] {
  return { $typeName: "parley.crypto.v1.BraidChunk", index, data };
}
