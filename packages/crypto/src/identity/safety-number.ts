import { concatBytes, equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { sha512 } from "../primitives/hash.ts";
import { uint16Bytes } from "../primitives/text.ts";
import { bytesField, readFields, uint32Field, writeFields } from "../ratchet/wire-fields.ts";
import { identityOf } from "./device-keys.ts";

export interface SafetyNumberParty {
  readonly accountId: Uint8Array;
  /** Ed25519 public key. */
  readonly rootKey: Uint8Array;
}

export interface SafetyNumber {
  /** 60 digits in twelve groups of five, the same on both sides: to be read aloud. */
  readonly digits: string;
  /** What this side shows as a QR code (bytes, 74 of them), for the other side to scan. */
  readonly code: Uint8Array;
}

/**
 * libsignal's fingerprint, version 2 (trust.md 2), as digits and as code. 5,200 rounds of SHA-512 for each party,
 * 40–70 ms: keep the result.
 */
export function safetyNumber(own: SafetyNumberParty, other: SafetyNumberParty): SafetyNumber {
  const [ours, theirs] = [fingerprintOf(own), fingerprintOf(other)];
  const digits = [digitsOf(ours), digitsOf(theirs)].sort().join("");
  return {
    digits: (digits.match(/.{5}/g) as string[]).join(" "),
    code: codeOf({ shownBy: shortOf(ours), shownTo: shortOf(theirs) }),
  };
}

/**
 * Whether `scanned` is the code that the other side shows where nobody stands between. Throws `malformed` for what
 * is no such code, and `unsupported-version`.
 */
export function confirmsSafetyNumber({ code }: SafetyNumber, scanned: Uint8Array): boolean {
  const [mine, theirs] = [readCode(code), readCode(scanned)];
  return equalBytes(mine.shownBy, theirs.shownTo) && equalBytes(mine.shownTo, theirs.shownBy);
}

const ROUNDS = 5200;
/** The hash's version, not the display's: 0 in versions 1 and 2 alike. */
const HASH_VERSION = 0;
const CODE_VERSION = 2;
const CODE_BYTES = 32;

function fingerprintOf({ accountId, rootKey }: SafetyNumberParty): Uint8Array {
  const key = identityOf(rootKey);
  let hash = sha512(concatBytes(uint16Bytes(HASH_VERSION), key, accountId, key));
  for (let round = 1; round < ROUNDS; round++) hash = sha512(concatBytes(hash, key));
  return hash;
}

function digitsOf(fingerprint: Uint8Array): string {
  let digits = "";
  for (let at = 0; at < 30; at += 5) digits += fiveDigits(fingerprint.subarray(at, at + 5));
  return digits;
}

/** 5 bytes, big-endian, modulo 100,000. */
function fiveDigits(bytes: Uint8Array): string {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return String(value % 100_000).padStart(5, "0");
}

/** What a code holds of a fingerprint. */
const shortOf = (fingerprint: Uint8Array) => fingerprint.subarray(0, CODE_BYTES);

interface Code {
  readonly shownBy: Uint8Array;
  readonly shownTo: Uint8Array;
}

/** libsignal's CombinedFingerprints: version 1, fingerprint of who shows it 2, of whom it is shown to 3. */
function codeOf({ shownBy, shownTo }: Code): Uint8Array {
  return writeFields([
    { field: 1, value: CODE_VERSION },
    { field: 2, value: writeFields([{ field: 1, value: shownBy }]) },
    { field: 3, value: writeFields([{ field: 1, value: shownTo }]) },
  ]);
}

function readCode(code: Uint8Array): Code {
  const values = readFields(code, { 1: "uint32", 2: "bytes", 3: "bytes" });
  if (uint32Field(values, 1) !== CODE_VERSION)
    throw new CryptoError("unsupported-version", "a safety number of another version");
  const fingerprint = (field: number) =>
    bytesField(readFields(bytesField(values, field), { 1: "bytes" }), 1, CODE_BYTES);
  return { shownBy: fingerprint(2), shownTo: fingerprint(3) };
}
