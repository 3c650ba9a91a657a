import { CryptoError } from "../crypto-error.ts";
import type { AsyncProvider, MlKemParameters, PrimitiveCall } from "../operation.ts";
import { AGREEMENT_KEYS_MAX, KeyCache, SIGNING_KEYS_MAX, VERIFYING_KEYS_MAX } from "./key-cache.ts";
import { nobleOnDemand } from "./noble-on-demand.ts";
import { trustedAsync } from "./self-test.ts";

/**
 * The primitives by WebCrypto: asynchronous, 10 to 30 times as fast as JavaScript, in pages and workers of secure
 * contexts. What this browser lacks, or answers otherwise than it must, JavaScript does.
 */
export function webProvider(subtle: SubtleCrypto): AsyncProvider {
  return trustedAsync(bareWebProvider(subtle), nobleOnDemand);
}

/** Without the check of what it answers. */
export function bareWebProvider(subtle: SubtleCrypto): AsyncProvider {
  const keys = new WebKeys(subtle);
  return {
    async answer(call: PrimitiveCall): Promise<Uint8Array> {
      switch (call.primitive) {
        case "x25519":
          return agree(subtle, await keys.agreement(call.privateKey), call.publicKey);
        case "x25519PublicKey":
          return agree(subtle, await keys.agreement(call.privateKey), BASE_POINT);
        case "ed25519Sign": {
          const key = await keys.signing(call.seed);
          return new Uint8Array(await subtle.sign("Ed25519", key, owned(call.message)));
        }
        case "ed25519PublicKey":
          return ed25519PublicKey(subtle, call.seed);
        case "ed25519Verify":
          return Uint8Array.of((await isValid(subtle, keys, call)) ? 1 : 0);
        case "mlKemPublicKey":
          return mlKemPublicKey(subtle, call.parameters, call.seed);
        case "mlKemDecapsulate":
          return decapsulate(subtle, call);
      }
    },
  };
}

/** Each import is a trip to another thread: those that come again are kept. */
class WebKeys {
  readonly #subtle: SubtleCrypto;
  readonly #signing = new KeyCache<Promise<CryptoKey>>(SIGNING_KEYS_MAX);
  readonly #verifying = new KeyCache<Promise<CryptoKey>>(VERIFYING_KEYS_MAX);
  readonly #agreement = new KeyCache<Promise<CryptoKey>>(AGREEMENT_KEYS_MAX);

  constructor(subtle: SubtleCrypto) {
    this.#subtle = subtle;
  }

  signing(seed: Uint8Array): Promise<CryptoKey> {
    const make = () => this.#import("pkcs8", der(PKCS8_ED25519, seed), "Ed25519", ["sign"]);
    return this.#signing.take(seed, make);
  }

  verifying(key: Uint8Array): Promise<CryptoKey> {
    return this.#verifying.take(key, () => this.#import("raw", owned(key), "Ed25519", ["verify"]));
  }

  agreement(key: Uint8Array): Promise<CryptoKey> {
    const make = () => this.#import("pkcs8", der(PKCS8_X25519, key), "X25519", ["deriveBits"]);
    return this.#agreement.take(key, make);
  }

  #import(
    format: "pkcs8" | "raw",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm: string,
    usages: ("sign" | "verify" | "deriveBits")[],
  ): Promise<CryptoKey> {
    return this.#subtle.importKey(format, bytes, algorithm, false, usages);
  }
}

async function agree(
  subtle: SubtleCrypto,
  privateKey: CryptoKey,
  publicKey: Uint8Array,
): Promise<Uint8Array> {
  const imported = await subtle.importKey("raw", owned(publicKey), "X25519", false, []);
  const secret = { name: "X25519", public: imported };
  return new Uint8Array(await subtle.deriveBits(secret, privateKey, 256));
}

/** RFC 7748 section 6.1: the public key is the product of the base point, 9. */
const BASE_POINT = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0));

async function ed25519PublicKey(subtle: SubtleCrypto, seed: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = der(PKCS8_ED25519, seed);
  const key = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await subtle.exportKey("jwk", key);
  if (x === undefined) throw new CryptoError("misuse", "a key without its public half");
  return Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
    character.charCodeAt(0),
  );
}

type Verify = Extract<PrimitiveCall, { primitive: "ed25519Verify" }>;

async function isValid(
  subtle: SubtleCrypto,
  keys: WebKeys,
  { publicKey, message, signature }: Verify,
): Promise<boolean> {
  try {
    const key = await keys.verifying(publicKey);
    return await subtle.verify("Ed25519", key, owned(signature), owned(message));
  } catch {
    return false; // Not a point, or a signature of another size.
  }
}

/** ML-KEM in WebCrypto is newer than the types of TypeScript: a draft of the WICG, in Chromium 150 and Node 24. */
interface ModernSubtle {
  importKey(
    format: "raw-seed",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm: MlKemParameters,
    isExtractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  getPublicKey(key: CryptoKey, usages: readonly string[]): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  decapsulateBits(
    algorithm: MlKemParameters,
    key: CryptoKey,
    ciphertext: Uint8Array<ArrayBuffer>,
  ): Promise<ArrayBuffer>;
}

async function mlKemPublicKey(
  subtle: SubtleCrypto,
  parameters: MlKemParameters,
  seed: Uint8Array,
): Promise<Uint8Array> {
  const modern = subtle as unknown as ModernSubtle;
  const key = await mlKemKey(modern, parameters, seed);
  const publicKey = await modern.getPublicKey(key, ["encapsulateBits"]);
  return new Uint8Array(await modern.exportKey("raw-public", publicKey));
}

async function decapsulate(
  subtle: SubtleCrypto,
  { parameters, seed, ciphertext }: Extract<PrimitiveCall, { primitive: "mlKemDecapsulate" }>,
): Promise<Uint8Array> {
  const modern = subtle as unknown as ModernSubtle;
  const key = await mlKemKey(modern, parameters, seed);
  return new Uint8Array(await modern.decapsulateBits(parameters, key, owned(ciphertext)));
}

function mlKemKey(subtle: ModernSubtle, parameters: MlKemParameters, seed: Uint8Array) {
  return subtle.importKey("raw-seed", owned(seed), parameters, false, ["decapsulateBits"]);
}

/** The DER that stands before the 32 bytes of a private key (RFC 8410 section 7). */
const PKCS8_X25519 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32];
const PKCS8_ED25519 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

function der(prefix: readonly number[], key: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...prefix, ...key]);
}

/** WebCrypto takes no view on shared memory, and the types say so. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : Uint8Array.from(bytes);
}
