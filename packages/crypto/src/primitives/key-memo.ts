import { toHex } from "@parley/protocol";

/** Devices whose keys are kept in another form: a large group's, with room. */
const KEYS_MAX = 2048;

/**
 * Remembers what a pure function made of a public key: an inversion in the field costs as much as checking a
 * signature. The oldest goes first. What it gives is shared: nobody may write to it.
 */
export function rememberKeys(
  make: (key: Uint8Array) => Uint8Array,
): (key: Uint8Array) => Uint8Array {
  const made = new Map<string, Uint8Array>();
  return (key) => {
    const name = toHex(key);
    const known = made.get(name);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(name, value);
    if (made.size > KEYS_MAX) made.delete(made.keys().next().value ?? "");
    return value;
  };
}
