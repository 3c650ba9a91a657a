import { equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";

/** The newest backup that this device knows of: a device that knows better takes no older one (trust.md 8). */
export interface BackupPlace {
  readonly sequence: bigint;
  /** SHA-256 of its stream header, whose random salt names it. */
  readonly hash: Uint8Array;
}

export interface FoundBackup extends BackupPlace {
  readonly previousHash: Uint8Array;
}

/**
 * Throws `rolled-back` for one older than the known, and `forked` for another one at the known place, or one
 * that follows upon another: two copies of the account write backups, or the store keeps two histories.
 */
export function checkBackupPlace(known: BackupPlace | undefined, found: FoundBackup): void {
  if (known === undefined) return;
  if (found.sequence < known.sequence)
    throw new CryptoError("rolled-back", "older than a backup that this device knows of");
  const isSamePlace = found.sequence === known.sequence;
  if (isSamePlace && !equalBytes(found.hash, known.hash))
    throw new CryptoError("forked", "another backup at the place of the known one");
  const isNext = found.sequence === known.sequence + 1n;
  if (isNext && !equalBytes(found.previousHash, known.hash))
    throw new CryptoError("forked", "does not follow upon the known backup");
}
