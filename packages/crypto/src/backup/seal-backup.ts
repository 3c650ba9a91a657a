import type { AccountHead, BackupRecord } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { RandomBytes } from "../ratchet/session-api.ts";
import type { ChunkAead } from "../stream/chunk-aead.ts";
import { sealStream } from "../stream/seal-stream.ts";
import { STREAM_SALT_BYTES } from "../stream/stream-header.ts";
import { BackupGuard } from "./backup-guard.ts";
import { type BackupOwner, backupCipher, makeBackupHeader } from "./backup-header.ts";
import type { BackupPlace } from "./backup-place.ts";
import { framed } from "./record-frames.ts";

export interface SealBackupOptions {
  readonly aead: ChunkAead;
  readonly random: RandomBytes;
  readonly owner: BackupOwner;
  /** Of the account's own chain, as this device knows it. */
  readonly ownHead: AccountHead;
  /** The newest backup that this device knows of; undefined: there is none. */
  readonly previous: BackupPlace | undefined;
  /**
   * What this device holds and no backup may: its seed, and while it keeps them the recovery code's secret and
   * the root's seed. Looked for in every record. The backup key itself is looked for anyhow.
   */
  readonly neverInside: readonly Uint8Array[];
}

export interface BackupSealing {
  /** What the device remembers once the backup is stored. */
  readonly place: BackupPlace;
  /**
   * The backup, piece by piece, in constant memory. Throws `misuse` for a record that may not be inside, and
   * when called again.
   */
  seal(records: AsyncIterable<BackupRecord> | Iterable<BackupRecord>): AsyncGenerator<Uint8Array>;
}

/** A sealed stream under a key from the recovery code (trust.md 8; e2ee.md, backup). */
export async function beginBackup(options: SealBackupOptions): Promise<BackupSealing> {
  const { aead, random, owner, ownHead, previous, neverInside } = options;
  const guard = new BackupGuard([...neverInside, owner.keys.backupKey]);
  const salt = random(STREAM_SALT_BYTES);
  const { header, place } = makeBackupHeader({ owner, salt, ownHead, previous });
  const cipher = await backupCipher(aead, owner, header);
  let isUsed = false;
  const seal: BackupSealing["seal"] = (records) => {
    if (isUsed) throw new CryptoError("misuse", "a key seals one content");
    isUsed = true;
    return sealStream(cipher, framed(encoded(guard, records)));
  };
  return { place, seal };
}

async function* encoded(
  guard: BackupGuard,
  records: AsyncIterable<BackupRecord> | Iterable<BackupRecord>,
): AsyncGenerator<Uint8Array> {
  for await (const record of records) yield guard.encode(record);
}
