import { sha3_256 } from "@noble/hashes/sha3.js";
import { concatBytes, equalBytes, fromHex } from "@parley/protocol";
import {
  aesCbcDecrypt,
  aesCbcEncrypt,
  aesGcmOpen,
  aesGcmSeal,
  CryptoError,
  ed25519Verify,
  hkdfSha256,
  hmacSha256,
  type MlKemParameters,
  mlKemDecapsulate,
  mlKemPublicKey,
  type Operation,
  x25519,
} from "../../src/index.ts";
import { type Encapsulated, mlKem1024Encapsulate } from "../../src/primitives/kyber1024.ts";
import {
  encapsulateFirst,
  encapsulateSecond,
  KEY_VECTOR_BYTES,
  vectorFits,
} from "../../src/primitives/mlkem768-split.ts";

/** The vectors of Project Wycheproof against whatever runs operations, in Node and in browsers alike. */
export interface VectorFile {
  readonly testGroups: readonly Group[];
}

interface Group {
  readonly tests: readonly Vector[];
  readonly [field: string]: unknown;
}

type Vector = Readonly<Record<string, string>> & {
  readonly tcId: number;
  readonly flags?: readonly string[];
  readonly size: number;
};

export type Run = <T>(operation: Operation<T>) => T | Promise<T>;

/** How many vectors gave what they must give, and how many were refused, as they must be. */
export interface Tally {
  agreed: number;
  refused: number;
}

type Check = (vector: Vector, group: Group, run: Run) => Promise<keyof Tally | "skipped">;

export async function checkVectors(
  name: VectorName,
  { testGroups }: VectorFile,
  run: Run,
): Promise<Tally> {
  const tally: Tally = { agreed: 0, refused: 0 };
  for (const group of testGroups)
    for (const vector of group.tests) {
      let outcome: keyof Tally | "skipped";
      try {
        outcome = await CHECKS[name](vector, group, run);
      } catch (cause) {
        throw new Error(`${name} ${vector.tcId}: ${vector["comment"]}: ${cause}`, { cause });
      }
      if (outcome !== "skipped") tally[outcome] += 1;
    }
  return tally;
}

const hex = (vector: Vector, field: string): Uint8Array => fromHex(vector[field] ?? "");

function same(what: string, found: Uint8Array, wanted: Uint8Array): void {
  if (!equalBytes(found, wanted)) throw new Error(`${what} differs`);
}

async function agrees(work: () => Promise<void> | void): Promise<"agreed"> {
  await work();
  return "agreed";
}

/** Refused means: by our own error. Anything else that is thrown is a failure. */
async function refuses(work: () => unknown): Promise<"refused"> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof CryptoError) return "refused";
    throw cause;
  }
  throw new Error("accepted");
}

/** Keys that Parley refuses, whatever their vector says. */
const WEAK = ["LowOrderPublic", "NonCanonicalPublic", "ZeroSharedSecret"];

async function checkX25519(vector: Vector, _: Group, run: Run) {
  const publicKey = hex(vector, "public");
  const agree = () => run(x25519(hex(vector, "private"), publicKey));
  const unusedBitSet = (publicKey[31] as number) >= 0x80;
  if (unusedBitSet || vector.flags?.some((flag) => WEAK.includes(flag))) return refuses(agree);
  return agrees(async () => same("secret", await agree(), hex(vector, "shared")));
}

async function checkEd25519(vector: Vector, group: Group, run: Run) {
  const { pk } = group["publicKey"] as { pk: string };
  const [message, signature] = [hex(vector, "msg"), hex(vector, "sig")];
  const isValid = await run(ed25519Verify({ publicKey: fromHex(pk), message, signature }));
  if (isValid !== (vector["result"] === "valid")) throw new Error(`found ${isValid}`);
  return isValid ? "agreed" : "refused";
}

async function checkCbc(vector: Vector, group: Group) {
  if (group["keySize"] !== 256) return "skipped";
  const [key, iv, ct] = [hex(vector, "key"), hex(vector, "iv"), hex(vector, "ct")];
  if (vector["result"] !== "valid") return refuses(() => aesCbcDecrypt(key, iv, ct));
  return agrees(() => {
    same("ciphertext", aesCbcEncrypt(key, iv, hex(vector, "msg")), ct);
    same("plaintext", aesCbcDecrypt(key, iv, ct), hex(vector, "msg"));
  });
}

async function checkGcm(vector: Vector, group: Group) {
  if (group["keySize"] !== 256 || group["ivSize"] !== 96) return "skipped";
  const aead = { key: hex(vector, "key"), nonce: hex(vector, "iv"), aad: hex(vector, "aad") };
  const sealed = concatBytes(hex(vector, "ct"), hex(vector, "tag"));
  if (vector["result"] !== "valid") return refuses(() => aesGcmOpen(aead, sealed));
  return agrees(() => {
    same("sealed", aesGcmSeal(aead, hex(vector, "msg")), sealed);
    same("plaintext", aesGcmOpen(aead, sealed), hex(vector, "msg"));
  });
}

async function checkHmac(vector: Vector, group: Group) {
  const tag = hmacSha256(hex(vector, "key"), hex(vector, "msg")).subarray(
    0,
    Number(group["tagSize"]) / 8,
  );
  const isRight = equalBytes(tag, hex(vector, "tag"));
  if (isRight !== (vector["result"] === "valid")) throw new Error(`found ${isRight}`);
  return isRight ? "agreed" : "refused";
}

async function checkHkdf(vector: Vector) {
  const [ikm, salt, info] = [hex(vector, "ikm"), hex(vector, "salt"), hex(vector, "info")];
  const derive = () => hkdfSha256({ ikm, salt, info, length: vector.size });
  if (vector["result"] !== "valid") return refuses(derive);
  return agrees(() => same("okm", derive(), hex(vector, "okm")));
}

/** A key pair from its seed, and what it decapsulates: also ciphertexts that are not for it. */
function checkKem(parameters: MlKemParameters): Check {
  return async (vector, _, run) => {
    const [seed, ciphertext] = [hex(vector, "seed"), hex(vector, "c")];
    const decapsulate = () => run(mlKemDecapsulate(parameters, seed, ciphertext));
    if (vector["result"] !== "valid") return refuses(decapsulate);
    return agrees(async () => {
      same("ek", await run(mlKemPublicKey(parameters, seed)), hex(vector, "ek"));
      same("K", await decapsulate(), hex(vector, "K"));
    });
  };
}

type Encapsulate = (publicKey: Uint8Array, message: Uint8Array) => Encapsulated;

function checkEncapsulation(encapsulate: Encapsulate): Check {
  return async (vector) => {
    const made = () => encapsulate(hex(vector, "ek"), hex(vector, "m"));
    if (vector["result"] !== "valid") return refuses(made);
    return agrees(() => {
      const { ciphertext, sharedSecret } = made();
      same("c", ciphertext, hex(vector, "c"));
      same("K", sharedSecret, hex(vector, "K"));
    });
  };
}

/** In its two halves, as the braid makes it. */
function encapsulateInHalves(publicKey: Uint8Array, message: Uint8Array): Encapsulated {
  const vector = publicKey.subarray(0, KEY_VECTOR_BYTES);
  const header = concatBytes(publicKey.subarray(KEY_VECTOR_BYTES), sha3_256(publicKey));
  if (!vectorFits(header, vector)) throw new CryptoError("invalid-key", "the vector does not fit");
  const { ciphertext1, sharedSecret } = encapsulateFirst(header, message);
  const ciphertext2 = encapsulateSecond(header, vector, message);
  return { ciphertext: concatBytes(ciphertext1, ciphertext2), sharedSecret };
}

const CHECKS = {
  x25519: checkX25519,
  ed25519: checkEd25519,
  aes_cbc_pkcs5: checkCbc,
  aes_gcm: checkGcm,
  hmac_sha256: checkHmac,
  hkdf_sha256: checkHkdf,
  mlkem_768: checkKem("ML-KEM-768"),
  mlkem_1024: checkKem("ML-KEM-1024"),
  mlkem_768_encaps: checkEncapsulation(encapsulateInHalves),
  mlkem_1024_encaps: checkEncapsulation(mlKem1024Encapsulate),
} satisfies Record<string, Check>;

export type VectorName = keyof typeof CHECKS;
export const VECTOR_NAMES = Object.keys(CHECKS) as readonly VectorName[];
