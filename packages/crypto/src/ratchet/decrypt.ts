import { equalBytes, type SessionRecord, type SessionState } from "@parley/protocol";
import { acceptSession } from "../handshake/accept-session.ts";
import type { Operation } from "../operation.ts";
import {
  addressesField,
  addressesFit,
  isSameDevice,
  PARLEY_WIRE,
  type WireRules,
} from "./addresses.ts";
import { readCiphertext } from "./ciphertext.ts";
import { knowsRatchetKey, type Received, ratchetReceive, stepsToRead } from "./double-ratchet.ts";
import type { PrekeySignalMessage } from "./prekey-signal-message.ts";
import type {
  DecryptOutcome,
  HandshakeUse,
  PrekeysForMessage,
  SessionContext,
  UndecryptableCause,
} from "./session-api.ts";
import { readableSessions, withNewSession, withReadSession } from "./session-record.ts";
import type { ReadSignalMessage } from "./signal-message.ts";
import { FORWARD_JUMP_MAX } from "./skipped-keys.ts";

export interface Incoming {
  readonly ciphertext: Uint8Array;
  /** For a prekey message: what is there of what `parsePrekeyMessage` named. */
  readonly prekeys?: PrekeysForMessage | undefined;
}

/**
 * Reads a message with the session that it belongs to, or begins one with it. Never throws for what the
 * message is. The record that is given never changes, so what fails changes nothing.
 */
export function* decrypt(
  record: SessionRecord | undefined,
  context: SessionContext,
  incoming: Incoming,
  rules: WireRules = PARLEY_WIRE,
): Operation<DecryptOutcome> {
  const { local, remote } = context;
  if (isSameDevice(local, remote) || equalBytes(local.keys.identity, remote.identity))
    return undecryptable("own-session");
  const read = readCiphertext(incoming.ciphertext);
  if (read.kind === "malformed" || read.kind === "unknown-kind") return undecryptable(read.kind);
  const { message } = read;
  const isPrekeyMessage = read.kind === "prekey-message";
  const demanded = isPrekeyMessage && rules.addressesInPrekeyMessages;
  if (!addressesFit(message, addressesField(remote, local), demanded))
    return undecryptable("address-mismatch");
  const sessions = sessionsWith(record, context);
  if (!isPrekeyMessage) return yield* readWithAny(record, sessions, { context, message });
  const { prekeyMessage } = read;
  if (!equalBytes(prekeyMessage.identity, remote.identity))
    return undecryptable("identity-mismatch");
  // It comes again with every message until it is answered: the first begins the session, the rest hit it.
  const begun = sessions.find(({ baseKey }) => equalBytes(baseKey, prekeyMessage.baseKey));
  if (record !== undefined && begun !== undefined) {
    const received = yield* ratchetReceive(begun, { ...context, message });
    return outcomeOf(received, (after) => withReadSession(record, begun, after, context.nowMs));
  }
  return yield* readAsFirst(record, { context, message, prekeyMessage, prekeys: incoming.prekeys });
}

/**
 * For one session a jump in both its ratchets, for all together no more: a forged message costs no multiple of that,
 * however many sessions are archived.
 */
const STEPS_MAX = 2 * FORWARD_JUMP_MAX;

interface Reading {
  readonly context: SessionContext;
  readonly message: ReadSignalMessage;
}

/** A ratchet key that a session has met names it; else every session may be the one that turns. */
function* readWithAny(
  record: SessionRecord | undefined,
  sessions: readonly SessionState[],
  { context, message }: Reading,
): Operation<DecryptOutcome> {
  if (record === undefined || sessions.length === 0) return undecryptable("no-session");
  const owner = sessions.find((state) => knowsRatchetKey(state, message.ratchetKey));
  let outcome: DecryptOutcome = undecryptable("not-authentic");
  let stepsLeft = STEPS_MAX;
  for (const state of owner === undefined ? sessions : [owner]) {
    const steps = stepsToRead(state, message);
    if (steps > stepsLeft) return undecryptable("too-far-ahead");
    stepsLeft -= steps;
    const received = yield* ratchetReceive(state, { ...context, message });
    outcome = outcomeOf(received, (after) => withReadSession(record, state, after, context.nowMs));
    if (received.kind !== "failed") break;
  }
  return outcome;
}

interface FirstReading extends Reading {
  readonly prekeyMessage: PrekeySignalMessage;
  readonly prekeys: PrekeysForMessage | undefined;
}

function* readAsFirst(
  record: SessionRecord | undefined,
  { context, message, prekeyMessage, prekeys }: FirstReading,
): Operation<DecryptOutcome> {
  const accepted = yield* acceptSession(context, prekeyMessage, prekeys);
  if (accepted.kind === "failed") return undecryptable(accepted.cause);
  const received = yield* ratchetReceive(accepted.state, { ...context, message });
  const begin = (after: SessionState) => withNewSession(record, after, context.nowMs);
  return outcomeOf(received, begin, accepted.use);
}

/** Sessions with another identity than the account's chain lists now are not read with. */
function sessionsWith(
  record: SessionRecord | undefined,
  { local, remote, nowMs }: SessionContext,
): SessionState[] {
  if (record === undefined) return [];
  return readableSessions(record, nowMs).filter(
    (state) =>
      equalBytes(state.remoteIdentity, remote.identity) &&
      equalBytes(state.localIdentity, local.keys.identity),
  );
}

function outcomeOf(
  received: Received,
  recordWith: (after: SessionState) => SessionRecord,
  handshake?: HandshakeUse,
): DecryptOutcome {
  switch (received.kind) {
    case "read": {
      const { plaintext } = received;
      return { kind: "plaintext", plaintext, record: recordWith(received.state), handshake };
    }
    case "repeat":
      return { kind: "repeat" };
    case "failed":
      return undecryptable(received.cause);
  }
}

function undecryptable(cause: UndecryptableCause): DecryptOutcome {
  return { kind: "undecryptable", cause };
}
