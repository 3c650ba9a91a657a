import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { PrimitiveCall, SyncProvider } from "../operation.ts";

/**
 * The primitives by node:crypto (OpenSSL): synchronous, 10 to 20 times as fast as JavaScript. Importing a key
 * costs as much as using it, so those that come again are kept as key objects: our signing seeds and the keys
 * that we verify with. Of X25519 the last two only: a ratchet key is used at once after it is made, and is then
 * to be gone.
 */
export function nodeProvider(): SyncProvider {
  const signingKeys = new Cache<KeyObject>(SIGNING_KEYS_MAX);
  const verifyingKeys = new Cache<KeyObject>(VERIFYING_KEYS_MAX);
  const agreementKeys = new Cache<KeyObject>(AGREEMENT_KEYS_MAX);
  const agreementKey = (key: Uint8Array) =>
    agreementKeys.take(key, () => privateKey("x25519", key));
  return {
    answer(call: PrimitiveCall): Uint8Array {
      switch (call.primitive) {
        case "x25519":
          return bytesOf(
            diffieHellman({
              privateKey: agreementKey(call.privateKey),
              publicKey: publicKey("x25519", call.publicKey),
            }),
          );
        case "x25519PublicKey":
          return rawPublic(agreementKey(call.privateKey));
        case "ed25519Sign": {
          const { seed } = call;
          const key = signingKeys.take(seed, () => privateKey("ed25519", seed));
          return bytesOf(sign(null, call.message, key));
        }
        case "ed25519PublicKey":
          return rawPublic(privateKey("ed25519", call.seed));
        case "ed25519Verify":
          return Uint8Array.of(isValid(call, verifyingKeys) ? 1 : 0);
      }
    },
  };
}

/** A process has few seeds of its own; a load test has thousands, which then pay for the import. */
const SIGNING_KEYS_MAX = 64;
const VERIFYING_KEYS_MAX = 4096;
const AGREEMENT_KEYS_MAX = 2;

type Verify = Extract<PrimitiveCall, { primitive: "ed25519Verify" }>;

function isValid({ publicKey: key, message, signature }: Verify, keys: Cache<KeyObject>): boolean {
  try {
    const imported = keys.take(key, () => publicKey("ed25519", key));
    return verify(null, message, imported, signature);
  } catch {
    return false; // Not a point, or a signature of another size.
  }
}

type Curve = "x25519" | "ed25519";

/** By DER, which every Node reads; the raw formats of newer ones are no faster where it counts. */
const privateKey = (kind: Curve, key: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([kind === "x25519" ? PKCS8_X25519 : PKCS8_ED25519, key]),
    format: "der",
    type: "pkcs8",
  });
const publicKey = (kind: Curve, key: Uint8Array): KeyObject =>
  createPublicKey({
    key: Buffer.concat([kind === "x25519" ? SPKI_X25519 : SPKI_ED25519, key]),
    format: "der",
    type: "spki",
  });
const rawPublic = (key: KeyObject): Uint8Array => {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return bytesOf(spki.subarray(-CURVE_KEY_BYTES));
};

/** The DER that stands before the 32 bytes of a key (RFC 8410 sections 4 and 7). */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_X25519 = Buffer.from("302a300506032b656e032100", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const CURVE_KEY_BYTES = 32;

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A plain array of bytes, on a buffer of its own. */
function bytesOf(buffer: Buffer): Uint8Array {
  return Uint8Array.from(buffer);
}

/** What was used last stays; the oldest goes. */
class Cache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  take(key: Uint8Array, make: () => Value): Value {
    const name = bufferOf(key).toString("latin1");
    let value = this.#values.get(name);
    if (value === undefined) value = make();
    else this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size > this.#max) this.#values.delete(this.#values.keys().next().value ?? "");
    return value;
  }
}
