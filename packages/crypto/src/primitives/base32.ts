/** Crockford's base32: no I, L, O, U (https://www.crockford.com/base32.html). */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP = 4;

/** The lowest 5 bits for each character, in groups of 4, such as `7K2M-…`. */
export function formatBase32(bits: bigint, characters: number): string {
  let text = "";
  for (let i = characters - 1; i >= 0; i--) {
    text += ALPHABET[Number((bits >> BigInt(5 * i)) & 31n)];
    if (i % GROUP === 0 && i > 0) text += "-";
  }
  return text;
}

export type ParsedBase32 =
  | { readonly kind: "bits"; readonly bits: bigint }
  | { readonly kind: "mistyped"; readonly problem: "length" | "character" };

/** As people type it: any case, spaces and hyphens anywhere, I and L for 1, O for 0. */
export function parseBase32(typed: string, characters: number): ParsedBase32 {
  const text = typed.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replaceAll("O", "0");
  let bits = 0n;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return { kind: "mistyped", problem: "character" };
    // A paste of any length: only what has the right one is worth the numbers that grow.
    if (text.length === characters) bits = (bits << 5n) | BigInt(value);
  }
  if (text.length !== characters) return { kind: "mistyped", problem: "length" };
  return { kind: "bits", bits };
}

/** Big-endian. */
export function bitsOf(bytes: Uint8Array): bigint {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  return bits;
}

/** The lowest bits, big-endian. */
export function bytesOf(bits: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++)
    bytes[i] = Number((bits >> BigInt(8 * (length - 1 - i))) & 0xffn);
  return bytes;
}
