import { CryptoError } from "../crypto-error.ts";
import { LABELS, labelled } from "../labels.ts";
import { bitsOf, bytesOf, formatBase32, parseBase32 } from "../primitives/base32.ts";
import { hkdfSha256, sha256 } from "../primitives/hash.ts";
import { ascii } from "../primitives/text.ts";

/** 160 random bits, and 20 bits of checksum: 36 characters (trust.md 2). */
export const RECOVERY_SECRET_BYTES = 20;
const CHARACTERS = 36;
/** 9 groups of 4, such as `7K2M-…`. */
export function formatRecoveryCode(secret: Uint8Array): string {
  if (secret.length !== RECOVERY_SECRET_BYTES)
    throw new CryptoError("misuse", `a recovery secret has ${RECOVERY_SECRET_BYTES} bytes`);
  const bits = (bitsOf(secret) << 20n) | BigInt(checksumOf(secret));
  return formatBase32(bits, CHARACTERS);
}

export type ParsedRecoveryCode =
  | { readonly kind: "secret"; readonly secret: Uint8Array }
  | {
      readonly kind: "mistyped";
      readonly problem: "length" | "character" | "checksum";
    };

/** As people type it: any case, spaces and hyphens anywhere, I and L for 1, O for 0. */
export function parseRecoveryCode(typed: string): ParsedRecoveryCode {
  const parsed = parseBase32(typed, CHARACTERS);
  if (parsed.kind === "mistyped") return parsed;
  const { bits } = parsed;
  const secret = bytesOf(bits >> 20n, RECOVERY_SECRET_BYTES);
  if (Number(bits & 0xfffffn) !== checksumOf(secret))
    return { kind: "mistyped", problem: "checksum" };
  return { kind: "secret", secret };
}

export interface RecoveredKeys {
  /** Ed25519 seed. Signs the first entry of an era, and is wiped. */
  readonly rootSeed: Uint8Array;
  readonly backupKey: Uint8Array;
  readonly backupId: Uint8Array;
}

/** HKDF-SHA256 under one salt, an info for each key (trust.md 2). */
export function deriveRecoveredKeys(secret: Uint8Array): RecoveredKeys {
  const derive = (info: string, length: number) =>
    hkdfSha256({ salt: ascii(LABELS.recoverySalt), ikm: secret, info: ascii(info), length });
  return {
    rootSeed: derive(LABELS.rootKey, 32),
    backupKey: derive(LABELS.backupKey, 32),
    backupId: derive(LABELS.backupId, 16),
  };
}

/** The first 20 bits of SHA-256(label || 0 || secret). */
function checksumOf(secret: Uint8Array): number {
  const [a, b, c] = sha256(labelled(LABELS.recoveryCode, secret)) as unknown as [
    number,
    number,
    number,
  ];
  return (a << 12) | (b << 4) | (c >>> 4);
}
