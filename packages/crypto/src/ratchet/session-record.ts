import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  copyOf,
  equalBytes,
  type SessionRecord,
  SessionRecordSchema,
  type SessionState,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { SendingState } from "./double-ratchet.ts";

/** Sessions that a record keeps besides the current one: libsignal's number (e2ee.md 2). */
export const ARCHIVED_SESSIONS_MAX = 40;
/** How long an archived session still reads (trust.md 6). */
export const ARCHIVED_SESSION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;
/** A session without an answer for this long is begun anew (trust.md 6). */
export const UNANSWERED_SESSION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

export function encodeSessionRecord(record: SessionRecord): Uint8Array {
  return toBinary(SessionRecordSchema, record);
}

/** Throws `malformed`. Copies: the record does not hang on the row that it came from. */
export function decodeSessionRecord(bytes: Uint8Array): SessionRecord {
  try {
    return fromBinary(SessionRecordSchema, copyOf(bytes));
  } catch {
    throw new CryptoError("malformed", "not a session record");
  }
}

/** False: fetch a bundle and begin a session, then encrypt. `remoteIdentity` is 33 bytes. */
export function canSend(
  record: SessionRecord | undefined,
  remoteIdentity: Uint8Array,
  nowMs: number,
): boolean {
  return sendingState(record, remoteIdentity, nowMs) !== undefined;
}

export function sendingState(
  record: SessionRecord | undefined,
  remoteIdentity: Uint8Array,
  nowMs: number,
): SendingState | undefined {
  const current = record?.current;
  if (current?.sending === undefined || current.receiveOnly) return undefined;
  // Of a version without the post-quantum ratchet: it is begun anew, never gone on with.
  if (current.pqRatchet === undefined) return undefined;
  // The device id may have been given to another device since.
  if (!equalBytes(current.remoteIdentity, remoteIdentity)) return undefined;
  const heardAtMs = Math.max(Number(current.lastReceivedAtMs), Number(current.createdAtMs));
  if (nowMs - heardAtMs >= UNANSWERED_SESSION_LIFETIME_MS) return undefined;
  return current as SendingState;
}

/** A new session becomes the current one; the one before still reads. */
export function withNewSession(
  record: SessionRecord | undefined,
  current: SessionState,
  nowMs: number,
): SessionRecord {
  return create(SessionRecordSchema, { current, archived: archiveWithCurrent(record, nowMs) });
}

/**
 * A session that has read something: an archived one becomes current, unless it is to read only. Then the other side
 * still sends in what is over here; and where the session that is current here was never answered either, it is
 * over there: both sides were reset, each behind a session that the other had begun. A new one meets that.
 */
export function withReadSession(
  record: SessionRecord,
  before: SessionState,
  after: SessionState,
  nowMs: number,
): SessionRecord {
  if (before === record.current) return { ...record, current: after };
  if (before.receiveOnly) {
    const archived = record.archived.map((state) => (state === before ? after : state));
    const read = { ...record, archived };
    if (record.current === undefined || !isAcceptedUnanswered(record.current)) return read;
    return create(SessionRecordSchema, { archived: archiveWithCurrent(read, nowMs) });
  }
  const others = { ...record, archived: record.archived.filter((state) => state !== before) };
  return withNewSession(others, { ...after, archivedAtMs: 0n }, nowMs);
}

/**
 * After a rollback of this device (trust.md 7): no session of before ever sends again, since it would use
 * counters twice. They read for 30 days and are never promoted.
 */
export function archiveForReset(record: SessionRecord, nowMs: number): SessionRecord {
  const archived = archiveWithCurrent(record, nowMs).map((state) => ({
    ...state,
    receiveOnly: true,
  }));
  return create(SessionRecordSchema, { archived });
}

/** The other side has begun it, and has not turned the ratchet since: whether it reads what we send is not known. */
function isAcceptedUnanswered({ pqRatchet, receiving, spentChains }: SessionState): boolean {
  return pqRatchet?.isInitiator === false && receiving.length < 2 && spentChains.length === 0;
}

/** Newest first: the current one and the archived ones that still read. */
export function readableSessions(record: SessionRecord, nowMs: number): SessionState[] {
  const archived = record.archived.filter((state) => isAlive(state, nowMs));
  return record.current === undefined ? archived : [record.current, ...archived];
}

function archiveWithCurrent(record: SessionRecord | undefined, nowMs: number): SessionState[] {
  if (record === undefined) return [];
  const archived = record.archived.filter((state) => isAlive(state, nowMs));
  if (record.current !== undefined)
    archived.unshift({ ...record.current, archivedAtMs: BigInt(nowMs) });
  return archived.slice(0, ARCHIVED_SESSIONS_MAX);
}

function isAlive(state: SessionState, nowMs: number): boolean {
  return nowMs - Number(state.archivedAtMs) < ARCHIVED_SESSION_LIFETIME_MS;
}
