import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type AccountHead,
  type BackupHeader,
  BackupHeaderSchema,
  equalBytes,
  validate,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { RecoveredKeys } from "../identity/recovery-code.ts";
import { LABELS } from "../labels.ts";
import { sha256 } from "../primitives/hash.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { StreamCipher } from "../stream/stream-cipher.ts";
import { makeStreamHeader, type StreamHeader, StreamKind } from "../stream/stream-header.ts";
import type { BackupPlace } from "./backup-place.ts";

/** Of what is inside. Raised when a reader that does not know the new must not restore the rest. */
export const BACKUP_RECORDS_VERSION = 1;
const HASH_BYTES = 32;

export type BackupKeys = Pick<RecoveredKeys, "backupKey" | "backupId">;

export interface BackupOwner {
  readonly keys: BackupKeys;
  readonly accountId: Uint8Array;
}

export interface NewBackup {
  readonly owner: BackupOwner;
  readonly salt: Uint8Array;
  readonly ownHead: AccountHead;
  readonly previous: BackupPlace | undefined;
}

export interface MadeHeader {
  readonly header: StreamHeader;
  readonly place: BackupPlace;
}

export function makeBackupHeader({ owner, salt, ownHead, previous }: NewBackup): MadeHeader {
  const sequence = (previous?.sequence ?? 0n) + 1n;
  const content = create(BackupHeaderSchema, {
    accountId: owner.accountId,
    backupId: owner.keys.backupId,
    sequence,
    previousHash: previous?.hash ?? new Uint8Array(0),
    ownHead,
    recordsVersion: BACKUP_RECORDS_VERSION,
  });
  if (!isWhole(content)) throw new CryptoError("misuse", "not the header of a backup");
  const header = makeStreamHeader(StreamKind.backup, salt, toBinary(BackupHeaderSchema, content));
  return { header, place: { sequence, hash: sha256(header.bytes) } };
}

/** Throws `malformed`, and `wrong-key` where another code or account made it. Nothing vouches for it yet. */
export function readBackupHeader(header: StreamHeader, { keys, accountId }: BackupOwner) {
  const content = decoded(header.extra);
  if (content === undefined || !isWhole(content))
    throw new CryptoError("malformed", "not the header of a backup");
  if (!equalBytes(content.backupId, keys.backupId) || !equalBytes(content.accountId, accountId))
    throw new CryptoError("wrong-key", "a backup of another recovery code or account");
  return content;
}

/** The key is drawn from the backup key for this account and this header's salt. */
export function backupCipher(
  aead: ChunkAead,
  { keys, accountId }: BackupOwner,
  header: StreamHeader,
): Promise<StreamCipher> {
  const secret = { key: keys.backupKey, label: LABELS.backupStream, binding: accountId };
  return StreamCipher.make(aead, secret, header);
}

function decoded(bytes: Uint8Array): BackupHeader | undefined {
  try {
    return fromBinary(BackupHeaderSchema, bytes);
  } catch {
    return undefined;
  }
}

/** Every field within its limits, and only the first without one before it. */
function isWhole(content: BackupHeader): boolean {
  try {
    validate(BackupHeaderSchema, content, "client");
  } catch {
    return false;
  }
  return content.previousHash.length === (content.sequence === 1n ? 0 : HASH_BYTES);
}
