import { type DescMessage, toBinary } from "@bufbuild/protobuf";
import { type BackupRecord, BackupRecordSchema, validate } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";

type RecordCase = Exclude<BackupRecord["record"]["case"], undefined>;

/** What may be inside (trust.md 8). A new case of the schema does not compile until it is weighed here. */
const CASES: Readonly<Record<RecordCase, true>> = {
  contact: true,
  chain: true,
  entry: true,
  settings: true,
  profileKey: true,
};

/**
 * Every message type that a record may hold, at any depth. Sessions, prekeys, ratchets, sender keys and what a
 * device keeps of itself are other types: a schema that came to hold one is refused before anything is written.
 */
export const BACKUP_TYPES: ReadonlySet<string> = new Set([
  "parley.crypto.v1.BackupRecord",
  "parley.crypto.v1.BackupContact",
  "parley.crypto.v1.BackupChain",
  "parley.crypto.v1.BackupEntry",
  "parley.crypto.v1.BackupSettings",
  "parley.crypto.v1.BackupProfileKey",
  "parley.content.v1.Entry",
  "parley.content.v1.ChainMark",
  "parley.content.v1.Mute",
  "parley.wire.v1.AccountHead",
]);

/** Shorter ones would be met by chance. */
const SECRET_BYTES_MIN = 16;

/** Throws `misuse` where a type that a message may hold, at any depth, is none of a backup's. */
export function checkBackupSchema(schema: DescMessage, seen = new Set<string>()): void {
  if (seen.has(schema.typeName)) return;
  if (!BACKUP_TYPES.has(schema.typeName))
    throw new CryptoError("misuse", `${schema.typeName} is never inside a backup`);
  seen.add(schema.typeName);
  for (const { message } of schema.fields)
    if (message !== undefined) checkBackupSchema(message, seen);
}

/**
 * Turns records into bytes, and refuses (`misuse`) what must never be inside: another type, a field that the
 * schema does not name (not written), one outside its limits, and any record that holds one of the secrets
 * given, wherever it stands.
 */
export class BackupGuard {
  readonly #secrets: readonly Uint8Array[];

  constructor(secrets: readonly Uint8Array[]) {
    if (secrets.some(({ length }) => length < SECRET_BYTES_MIN))
      throw new CryptoError("misuse", "too short for a secret");
    checkBackupSchema(BackupRecordSchema);
    this.#secrets = secrets;
  }

  encode(record: BackupRecord): Uint8Array {
    if (!isBackupRecord(record)) throw new CryptoError("misuse", "not a record of a backup");
    const bytes = encoded(record);
    if (this.#secrets.some((secret) => includes(bytes, secret)))
      throw new CryptoError("misuse", "a secret is never inside a backup");
    return bytes;
  }
}

/** The compiler says so already; but a cast, or plain JavaScript, may have come before. */
function isBackupRecord({ $typeName, record }: BackupRecord): boolean {
  if ($typeName !== BackupRecordSchema.typeName || record.case === undefined) return false;
  return Object.hasOwn(CASES, record.case);
}

function encoded(record: BackupRecord): Uint8Array {
  try {
    validate(BackupRecordSchema, record, "client");
    return toBinary(BackupRecordSchema, record, { writeUnknownFields: false });
  } catch {
    throw new CryptoError("misuse", "a record of a backup outside its limits");
  }
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  const first = part[0] as number;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let length = 1;
    while (length < part.length && bytes[at + length] === part[length]) length++;
    if (length === part.length) return true;
  }
  return false;
}
