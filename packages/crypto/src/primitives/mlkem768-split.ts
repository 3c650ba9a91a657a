import { sha3_256, sha3_512, shake256 } from "@noble/hashes/sha3.js";
import { genCrystals, XOF128 } from "@noble/post-quantum/_crystals.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { concatBytes, copyOf, equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { mlKemDecapsulate, mlKemPublicKey, type Operation } from "../operation.ts";

/**
 * ML-KEM-768 (FIPS 203) with its encapsulation in two halves (ML-KEM Braid section 2.2): the first needs only
 * the seed of the matrix and the hash of the encapsulation key, the second the rest of that key.
 */
export { ML_KEM_SEED_BYTES as SEED_BYTES } from "../operation.ts";
/** rho 32 || SHA3-256(encapsulation key) 32. */
export const HEADER_BYTES = 64;
/** The encapsulation key without rho. */
export const KEY_VECTOR_BYTES = 1_152;
/** The compressed u. */
export const CIPHERTEXT_1_BYTES = 960;
/** The compressed v. */
export const CIPHERTEXT_2_BYTES = 128;
/** m, the randomness of an encapsulation. */
export const MESSAGE_BYTES = 32;

export interface SplitKey {
  readonly header: Uint8Array;
  readonly vector: Uint8Array;
}

/** `seed`: d || z, 64 random bytes (FIPS 203 algorithm 16). */
export function* splitKeyOf(seed: Uint8Array): Operation<SplitKey> {
  const publicKey = yield* mlKemPublicKey("ML-KEM-768", seed);
  const rho = publicKey.subarray(KEY_VECTOR_BYTES);
  return {
    header: concatBytes(rho, sha3_256(publicKey)),
    vector: copyOf(publicKey, 0, KEY_VECTOR_BYTES),
  };
}

/** Whether the vector is the one that the header was made of (FIPS 203 section 7.2 for its coefficients). */
export function vectorFits(header: Uint8Array, vector: Uint8Array): boolean {
  const key = keyOf(header, vector);
  return equalBytes(sha3_256(key), header.subarray(32)) && hasCanonicalCoefficients(vector);
}

export interface FirstHalf {
  readonly ciphertext1: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** Algorithm 17, lines 1 and 2, and of K-PKE.Encrypt (algorithm 14) what makes u. `message`: 32 random bytes. */
export function encapsulateFirst(header: Uint8Array, message: Uint8Array): FirstHalf {
  const keys = sha3_512(concatBytes(message, header.subarray(32)));
  const random = keys.subarray(32);
  const vectorY = [0, 1, 2].map((n) => NTT.encode(noise(random, n)));
  const matrix = XOF128(header.subarray(0, 32));
  const parts = [0, 1, 2].map((row) => {
    const u = noise(random, RANK + row);
    const sum = new Uint16Array(N);
    for (let column = 0; column < RANK; column++) {
      const product = multiplied(sampled(matrix.get(row, column)), vectorY[column] as Uint16Array);
      addTo(sum, product);
    }
    addTo(u, NTT.decode(sum));
    return compressedTo10Bits(u);
  });
  matrix.clean();
  return { ciphertext1: concatBytes(...parts), sharedSecret: keys.slice(0, 32) };
}

/** What is left of the ordinary encapsulation under the same message. The vector fits the header. */
export function encapsulateSecond(
  header: Uint8Array,
  vector: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const { cipherText } = ml_kem768.encapsulate(keyOf(header, vector), message);
  return copyOf(cipherText, CIPHERTEXT_1_BYTES);
}

/** A ciphertext that was not made for this key gives another secret, without a word (implicit rejection). */
export function decapsulate(
  seed: Uint8Array,
  ciphertext1: Uint8Array,
  ciphertext2: Uint8Array,
): Operation<Uint8Array> {
  return mlKemDecapsulate("ML-KEM-768", seed, concatBytes(ciphertext1, ciphertext2));
}

function keyOf(header: Uint8Array, vector: Uint8Array): Uint8Array {
  if (header.length !== HEADER_BYTES || vector.length !== KEY_VECTOR_BYTES)
    throw new CryptoError("misuse", "not the parts of an ML-KEM-768 key");
  return concatBytes(vector, header.subarray(0, 32));
}

// FIPS 203 section 8 and table 2.
const N = 256;
const Q = 3329;
const RANK = 3;
const ETA = 2;

const { NTT, nttZetas, mod, bitsCoder } = genCrystals({
  N,
  Q,
  F: 3303, // 128^-1 mod q, algorithm 10
  ROOT_OF_UNITY: 17,
  newPoly: (length) => new Uint16Array(length),
  brvBits: 7,
  isKyber: true,
});

/** Algorithms 3 and 8: 128 bytes of SHAKE256 to coefficients between -2 and 2. */
function noise(seed: Uint8Array, nonce: number): Uint16Array<ArrayBuffer> {
  const bytes = shake256(concatBytes(seed, Uint8Array.of(nonce)), { dkLen: ETA * 64 });
  const poly = new Uint16Array(N);
  for (let i = 0; i < N; i += 2) {
    const byte = bytes[i / 2] as number;
    poly[i] = centred(byte & 15);
    poly[i + 1] = centred(byte >> 4);
  }
  return poly;
}

const centred = (bits: number): number =>
  mod((bits & 1) + ((bits >> 1) & 1) - ((bits >> 2) & 1) - ((bits >> 3) & 1));

/** Algorithm 7: uniform coefficients, by rejection. */
function sampled(block: () => Uint8Array): Uint16Array {
  const poly = new Uint16Array(N);
  for (let filled = 0; filled < N; ) {
    const bytes = block();
    for (let at = 0; at + 3 <= bytes.length && filled < N; at += 3) {
      const [a, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]] as [number, number, number];
      const first = a | ((b & 15) << 8);
      const second = (b >> 4) | (c << 4);
      if (first < Q) poly[filled++] = first;
      if (second < Q && filled < N) poly[filled++] = second;
    }
  }
  return poly;
}

/** Algorithms 11 and 12. */
function multiplied(a: Uint16Array, b: Uint16Array): Uint16Array {
  const product = new Uint16Array(N);
  for (let i = 0; i < N; i += 2) {
    const zeta = nttZetas[64 + (i >> 2)] as number;
    const gamma = (i & 2) === 0 ? zeta : Q - zeta;
    const [a0, a1, b0, b1] = [a[i], a[i + 1], b[i], b[i + 1]] as [number, number, number, number];
    product[i] = mod(mod(a1 * b1) * gamma + a0 * b0);
    product[i + 1] = mod(a0 * b1 + a1 * b0);
  }
  return product;
}

function addTo(sum: Uint16Array, more: Uint16Array): void {
  for (let i = 0; i < N; i++) sum[i] = mod((sum[i] as number) + (more[i] as number));
}

/** Compress_10 and ByteEncode_10 (section 4.2.1): the nearest of 1024 steps. */
const coder = bitsCoder(10, {
  encode: (value) => Math.floor(((value << 10) + (Q >> 1)) / Q) & 1023,
  decode: (value) => value,
});

function compressedTo10Bits(poly: Uint16Array<ArrayBuffer>): Uint8Array {
  return coder.encode(poly);
}

function hasCanonicalCoefficients(vector: Uint8Array): boolean {
  for (let at = 0; at < vector.length; at += 3) {
    const [a, b, c] = [vector[at], vector[at + 1], vector[at + 2]] as [number, number, number];
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}
