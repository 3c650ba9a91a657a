import type { DatabaseSync } from "node:sqlite";
import { moveEnvelopes } from "./mail/move-envelopes.ts";

/** "Prly": what `file` and SQLite call the application id. */
export const APPLICATION_ID = 0x50726c79;

export interface SchemaStep {
  readonly sql: string;
  /** What SQL alone cannot do, in the same transaction. */
  readonly fill?: (db: DatabaseSync) => void;
  /**
   * The lowest store version whose program may still open a store after this step. A step that only adds
   * leaves it as it was, so that one release can be taken back (expand, and contract in a later one).
   */
  readonly readableFrom: number;
}

/**
 * Step n takes a store from version n to n + 1 (SQLite's user_version). Steps that were released never
 * change: later ones are added behind.
 */
export const SCHEMA_STEPS: readonly SchemaStep[] = [
  {
    readableFrom: 1,
    sql: `
  -- mark: the number of the last commit. receipt-key: as old as the data folder.
  CREATE TABLE store (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE epochs (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    floor INTEGER NOT NULL,
    opened_at_ms INTEGER NOT NULL) STRICT;

  CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    handle TEXT UNIQUE,
    root_key BLOB NOT NULL,
    era INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    sealed_profile BLOB) STRICT;

  CREATE TABLE account_entries (
    account TEXT NOT NULL,
    era INTEGER NOT NULL,
    version INTEGER NOT NULL,
    signed_by_root INTEGER NOT NULL,
    body BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (account, era, version)) STRICT;

  CREATE TABLE devices (
    account TEXT NOT NULL,
    device INTEGER NOT NULL,
    identity_key BLOB NOT NULL,
    registration_id INTEGER NOT NULL,
    consent BLOB NOT NULL,
    sealed_name BLOB NOT NULL,
    added_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, device)) STRICT, WITHOUT ROWID;

  -- kind 0: signed prekey, 1: last-resort prekey.
  CREATE TABLE lasting_prekeys (
    account TEXT NOT NULL,
    device INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (account, device, kind)) STRICT;

  CREATE TABLE one_time_prekeys (
    account TEXT NOT NULL,
    device INTEGER NOT NULL,
    id INTEGER NOT NULL,
    curve_public_key BLOB NOT NULL,
    kyber_public_key BLOB NOT NULL,
    kyber_signature BLOB NOT NULL,
    PRIMARY KEY (account, device, id)) STRICT;

  -- Those that were given away, so that an upload which is repeated does not bring them back.
  CREATE TABLE given_prekeys (
    account TEXT NOT NULL,
    device INTEGER NOT NULL,
    id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    given_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, device, id, digest)) STRICT, WITHOUT ROWID;

  -- A number is never used again: a device that takes a removed one's id begins with an empty mailbox.
  CREATE TABLE mailboxes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    device INTEGER NOT NULL,
    state_number INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    seen_at_ms INTEGER NOT NULL,
    UNIQUE (account, device)) STRICT;

  -- AUTOINCREMENT never gives a position twice, so a reader's place outlives the row that it points at.
  CREATE TABLE envelopes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox INTEGER NOT NULL,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL) STRICT;
  CREATE UNIQUE INDEX envelopes_by_id ON envelopes (mailbox, id);
  CREATE INDEX envelopes_by_mailbox ON envelopes (mailbox);
  `,
  },
  // What waits for long: the mail log has the rest, which a program from before it would not see.
  {
    readableFrom: 2,
    sql: `
  CREATE TABLE mail (
    mailbox INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    source BLOB NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (mailbox, position)) STRICT, WITHOUT ROWID;
  CREATE INDEX mail_by_id ON mail (mailbox, id);
  `,
    fill: moveEnvelopes,
  },
  {
    readableFrom: 2,
    sql: `
  CREATE TABLE invitations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    uses INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER) STRICT;
  `,
  },
];
