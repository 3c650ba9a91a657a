/** Keys in a platform's own form, by their bytes. What was used last stays; the oldest goes. */
export class KeyCache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  take(key: Uint8Array, make: () => Value): Value {
    const name = String.fromCharCode(...key);
    let value = this.#values.get(name);
    if (value === undefined) value = make();
    else this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size > this.#max) this.#values.delete(this.#values.keys().next().value ?? "");
    return value;
  }
}

/** A process has few seeds of its own; a load test has thousands, which then pay for the import. */
export const SIGNING_KEYS_MAX = 64;
/** Devices that write to a large group, with room. */
export const VERIFYING_KEYS_MAX = 4096;
/** A ratchet key is used at once after it is made, and is then to be gone. */
export const AGREEMENT_KEYS_MAX = 2;
