import { createHash } from "node:crypto";
import type { Random } from "../ports/random.ts";
import { LABELS, labelled } from "./labels.ts";

/** 80 bits: who may try thirty an hour finds none, and sixteen characters can still be read to somebody. */
const CODE_BYTES = 10;
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;
/** Crockford's base32: without I, L, O, which look like digits, and U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS = 5;

/** Four groups of four characters. */
export function newInvitationCode(random: Random): string {
  const bytes = random(CODE_BYTES);
  let code = "";
  let [value, bits] = [0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= BITS; ) {
      bits -= BITS;
      code += ALPHABET[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return (code.match(/.{4}/g) ?? []).join("-");
}

/** What is kept of a code; undefined where that is none. Typed as people type: cases, gaps and look-alikes do not matter. */
export function invitationHash(typed: string): Uint8Array | undefined {
  const code = typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
  if (!CODE.test(code)) return undefined;
  const body = Buffer.from(code, "ascii");
  return Uint8Array.from(createHash("sha256").update(labelled(LABELS.invitation, body)).digest());
}
