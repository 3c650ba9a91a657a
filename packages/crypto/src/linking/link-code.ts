import { concatBytes, copyOf, equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { bitsOf, bytesOf, formatBase32, parseBase32 } from "../primitives/base32.ts";
import { sha256 } from "../primitives/hash.ts";

export const LINK_ADDRESS_BYTES = 16;
const COMMITMENT_BYTES = 16;
const CODE_BYTES = LINK_ADDRESS_BYTES + COMMITMENT_BYTES;
const CHARACTERS = 52;
/** 52 characters are 260 bits. */
const SPARE_BITS = 4n;

/** What a new device shows, and the other one is given (e2ee.md, linking). */
export interface LinkCode {
  /** Random: where both leave each other steps. */
  readonly address: Uint8Array;
  readonly commitment: Uint8Array;
}

/** The two keys of a new device that its code commits it to, before it sees the other side's. */
export interface OfferedKeys {
  /** X25519, for this linking alone. */
  readonly ephemeralKey: Uint8Array;
  /** Ed25519 form. */
  readonly identityKey: Uint8Array;
}

export function linkCodeFor(address: Uint8Array, keys: OfferedKeys): LinkCode {
  if (address.length !== LINK_ADDRESS_BYTES)
    throw new CryptoError("misuse", `an address for linking has ${LINK_ADDRESS_BYTES} bytes`);
  return { address, commitment: commitmentTo(keys) };
}

/** Whether the keys that lie at the address are those of whoever showed the code. */
export function isCommittedTo({ commitment }: LinkCode, keys: OfferedKeys): boolean {
  return equalBytes(commitment, commitmentTo(keys));
}

/** 13 groups of 4. */
export function formatLinkCode({ address, commitment }: LinkCode): string {
  return formatBase32(bitsOf(concatBytes(address, commitment)) << SPARE_BITS, CHARACTERS);
}

export type ParsedLinkCode =
  | { readonly kind: "code"; readonly code: LinkCode }
  | { readonly kind: "mistyped"; readonly problem: "length" | "character" };

/** As people type it. A wrong character that is one of the alphabet shows when nothing lies at the address. */
export function parseLinkCode(typed: string): ParsedLinkCode {
  const parsed = parseBase32(typed, CHARACTERS);
  if (parsed.kind === "mistyped") return parsed;
  if ((parsed.bits & ((1n << SPARE_BITS) - 1n)) !== 0n)
    return { kind: "mistyped", problem: "character" };
  const bytes = bytesOf(parsed.bits >> SPARE_BITS, CODE_BYTES);
  const address = copyOf(bytes, 0, LINK_ADDRESS_BYTES);
  return { kind: "code", code: { address, commitment: copyOf(bytes, LINK_ADDRESS_BYTES) } };
}

/** The first 16 bytes of SHA-256(ephemeral key || identity key). */
function commitmentTo({ ephemeralKey, identityKey }: OfferedKeys): Uint8Array {
  return copyOf(sha256(concatBytes(ephemeralKey, identityKey)), 0, COMMITMENT_BYTES);
}
