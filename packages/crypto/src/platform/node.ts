import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { MlKemParameters, PrimitiveCall, SyncProvider } from "../operation.ts";
import { nobleProvider } from "../primitives/noble-provider.ts";
import { AGREEMENT_KEYS_MAX, KeyCache, SIGNING_KEYS_MAX, VERIFYING_KEYS_MAX } from "./key-cache.ts";
import { trusted } from "./self-test.ts";

/**
 * The primitives by node:crypto (OpenSSL): synchronous, 8 to 20 times as fast as JavaScript. Importing a key
 * costs as much as using it, so those that come again are kept as key objects. What this Node lacks, or answers
 * otherwise than it must, JavaScript does.
 */
export function nodeProvider(): SyncProvider {
  return trusted(bareNodeProvider(), nobleProvider);
}

/** Without the check of what it answers. */
export function bareNodeProvider(): SyncProvider {
  const signingKeys = new KeyCache<KeyObject>(SIGNING_KEYS_MAX);
  const verifyingKeys = new KeyCache<KeyObject>(VERIFYING_KEYS_MAX);
  const agreementKeys = new KeyCache<KeyObject>(AGREEMENT_KEYS_MAX);
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
          return rawPublic(agreementKey(call.privateKey), CURVE_KEY_BYTES);
        case "ed25519Sign": {
          const { seed } = call;
          const key = signingKeys.take(seed, () => privateKey("ed25519", seed));
          return bytesOf(sign(null, call.message, key));
        }
        case "ed25519PublicKey":
          return rawPublic(privateKey("ed25519", call.seed), CURVE_KEY_BYTES);
        case "ed25519Verify":
          return Uint8Array.of(isValid(call, verifyingKeys) ? 1 : 0);
        case "mlKemPublicKey":
          return rawPublic(mlKemKey(call), ML_KEM_PUBLIC_KEY_BYTES[call.parameters]);
        case "mlKemDecapsulate":
          return bytesOf(decapsulate(mlKemKey(call), call.ciphertext));
      }
    },
  };
}

type Verify = Extract<PrimitiveCall, { primitive: "ed25519Verify" }>;

function isValid(
  { publicKey: key, message, signature }: Verify,
  keys: KeyCache<KeyObject>,
): boolean {
  try {
    const imported = keys.take(key, () => publicKey("ed25519", key));
    return verify(null, message, imported, signature);
  } catch {
    return false; // Not a point, or a signature of another size.
  }
}

const privateKey = (kind: PrivateKind, key: Uint8Array): KeyObject =>
  HAS_RAW_FORMATS && (kind === "x25519" || kind === "ed25519")
    ? createPrivateKey({ key: bufferOf(key), format: "raw-private", asymmetricKeyType: kind })
    : createPrivateKey({
        key: Buffer.concat([PKCS8[kind], key]),
        format: "der",
        type: "pkcs8",
      });
const publicKey = (kind: Curve, key: Uint8Array): KeyObject =>
  HAS_RAW_FORMATS
    ? createPublicKey({ key: bufferOf(key), format: "raw-public", asymmetricKeyType: kind })
    : createPublicKey({ key: Buffer.concat([SPKI[kind], key]), format: "der", type: "spki" });
const mlKemKey = (call: { readonly parameters: MlKemParameters; readonly seed: Uint8Array }) =>
  privateKey(call.parameters, call.seed);
const rawPublic = (key: KeyObject, byteCount: number): Uint8Array => {
  const imported = createPublicKey(key);
  return HAS_RAW_FORMATS
    ? bytesOf(imported.export({ format: "raw-public" }))
    : bytesOf(imported.export({ format: "der", type: "spki" }).subarray(-byteCount));
};

const derPrefix = (hex: string) => Buffer.from(hex, "hex");
/** The DER that stands before a private key (RFC 8410 section 7) or a seed (RFC 9935 section 6). */
const PKCS8 = {
  x25519: derPrefix("302e020100300506032b656e04220420"),
  ed25519: derPrefix("302e020100300506032b657004220420"),
  "ML-KEM-768": derPrefix("3054020100300b060960864801650304040204428040"),
  "ML-KEM-1024": derPrefix("3054020100300b060960864801650304040304428040"),
} as const;
type PrivateKind = keyof typeof PKCS8;
/** The DER that stands before a public key (RFC 8410 section 4). */
const SPKI = {
  x25519: derPrefix("302a300506032b656e032100"),
  ed25519: derPrefix("302a300506032b6570032100"),
} as const;
type Curve = keyof typeof SPKI;
const CURVE_KEY_BYTES = 32;
/** FIPS 203 table 3. */
const ML_KEM_PUBLIC_KEY_BYTES = { "ML-KEM-768": 1184, "ML-KEM-1024": 1568 } as const;

/** Nodes after 24: a public key is read in 2 µs and written in 3, which takes 8 and 22 by DER. */
const HAS_RAW_FORMATS = hasRawFormats();

function hasRawFormats(): boolean {
  try {
    const key = new Uint8Array(32).fill(9);
    const parts = {
      key: bufferOf(key),
      format: "raw-public",
      asymmetricKeyType: "x25519",
    } as const;
    return createPublicKey(parts).export({ format: "raw-public" }).length === CURVE_KEY_BYTES;
  } catch {
    return false;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A plain array of bytes, on a buffer of its own. */
function bytesOf(buffer: Buffer): Uint8Array {
  return Uint8Array.from(buffer);
}
