import { CryptoError } from "./crypto-error.ts";
import { checkEd25519PublicKey, checkX25519PublicKey } from "./primitives/curve25519.ts";

/**
 * Operations with public-key steps are generators that yield primitive calls. One code path serves a
 * synchronous and an asynchronous provider, and no check can be left unawaited: the generator goes on only
 * with the answer. Which keys are refused is decided here, once for all providers.
 */
export type PrimitiveCall =
  /**
   * X25519 (RFC 7748). The answer is the shared secret. The driver refuses public keys that are not canonical
   * or of low order, and an all-zero answer.
   */
  | {
      readonly primitive: "x25519";
      readonly privateKey: Uint8Array;
      readonly publicKey: Uint8Array;
    }
  | { readonly primitive: "x25519PublicKey"; readonly privateKey: Uint8Array }
  /** Ed25519 (RFC 8032) under a 32-byte seed. */
  | { readonly primitive: "ed25519Sign"; readonly seed: Uint8Array; readonly message: Uint8Array }
  | { readonly primitive: "ed25519PublicKey"; readonly seed: Uint8Array }
  /**
   * The answer is one byte: 1 valid, 0 not. Without cofactor (RFC 8032 section 5.1.7); public keys that are
   * not canonical or of low order are refused by the driver.
   */
  | {
      readonly primitive: "ed25519Verify";
      readonly publicKey: Uint8Array;
      readonly message: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** The encapsulation key under a seed d || z (FIPS 203 algorithm 16). */
  | {
      readonly primitive: "mlKemPublicKey";
      readonly parameters: MlKemParameters;
      readonly seed: Uint8Array;
    }
  /** The shared secret (FIPS 203 algorithm 18): another one, without a word, where the ciphertext is not ours. */
  | {
      readonly primitive: "mlKemDecapsulate";
      readonly parameters: MlKemParameters;
      readonly seed: Uint8Array;
      readonly ciphertext: Uint8Array;
    };

/**
 * Keys under seeds and decapsulation are the platform's where it has them. Encapsulation stays ours: its
 * randomness is an argument, and one of ours comes in two halves.
 */
export type MlKemParameters = "ML-KEM-768" | "ML-KEM-1024";

export type Primitive = PrimitiveCall["primitive"];

export type Operation<T> = Generator<PrimitiveCall, T, Uint8Array>;

export interface SyncProvider {
  answer(call: PrimitiveCall): Uint8Array;
}

export interface AsyncProvider {
  answer(call: PrimitiveCall): Promise<Uint8Array>;
}

/** What a provider or a check throws, the operation meets at its `yield`: it may answer with an outcome. */
export function runSync<T>(provider: SyncProvider, operation: Operation<T>): T {
  let step = operation.next();
  while (!step.done) {
    let answer: Uint8Array;
    try {
      checkCall(step.value);
      answer = checkedAnswer(step.value, provider.answer(step.value));
    } catch (cause) {
      step = operation.throw(cause);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

export async function runAsync<T>(provider: AsyncProvider, operation: Operation<T>): Promise<T> {
  let step = operation.next();
  while (!step.done) {
    let answer: Uint8Array;
    try {
      checkCall(step.value);
      answer = checkedAnswer(step.value, await provider.answer(step.value));
    } catch (cause) {
      step = operation.throw(cause);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

function checkCall(call: PrimitiveCall): void {
  if (call.primitive === "x25519") checkX25519PublicKey(call.publicKey);
  else if (call.primitive === "ed25519Verify") checkEd25519PublicKey(call.publicKey);
  else if (call.primitive === "mlKemPublicKey") checkMlKemSeed(call.seed);
  else if (call.primitive === "mlKemDecapsulate") {
    checkMlKemSeed(call.seed);
    if (call.ciphertext.length !== ML_KEM_CIPHERTEXT_BYTES[call.parameters])
      throw new CryptoError("malformed", `not a ciphertext of ${call.parameters}`);
  }
}

export const ML_KEM_SEED_BYTES = 64;
/** FIPS 203 table 3. */
export const ML_KEM_CIPHERTEXT_BYTES = { "ML-KEM-768": 1088, "ML-KEM-1024": 1568 } as const;

function checkMlKemSeed(seed: Uint8Array): void {
  if (seed.length !== ML_KEM_SEED_BYTES)
    throw new CryptoError("misuse", `a seed of ML-KEM has ${ML_KEM_SEED_BYTES} bytes`);
}

/** RFC 7748 section 6.1: a shared secret that is all zero is refused, should a key have slipped through. */
function checkedAnswer(call: PrimitiveCall, answer: Uint8Array): Uint8Array {
  if (call.primitive === "x25519" && answer.every((byte) => byte === 0))
    throw new CryptoError("invalid-key", "the shared secret is zero");
  return answer;
}

/** The calls, as an operation writes them: `yield* x25519(…)`. */
export function* x25519(privateKey: Uint8Array, publicKey: Uint8Array): Operation<Uint8Array> {
  return yield { primitive: "x25519", privateKey, publicKey };
}

export function* x25519PublicKey(privateKey: Uint8Array): Operation<Uint8Array> {
  return yield { primitive: "x25519PublicKey", privateKey };
}

export function* ed25519Sign(seed: Uint8Array, message: Uint8Array): Operation<Uint8Array> {
  return yield { primitive: "ed25519Sign", seed, message };
}

export function* ed25519PublicKey(seed: Uint8Array): Operation<Uint8Array> {
  return yield { primitive: "ed25519PublicKey", seed };
}

export interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export function* ed25519Verify(signed: Signed): Operation<boolean> {
  const answer = yield { primitive: "ed25519Verify", ...signed };
  return answer[0] === 1;
}

export function* mlKemPublicKey(
  parameters: MlKemParameters,
  seed: Uint8Array,
): Operation<Uint8Array> {
  return yield { primitive: "mlKemPublicKey", parameters, seed };
}

export function* mlKemDecapsulate(
  parameters: MlKemParameters,
  seed: Uint8Array,
  ciphertext: Uint8Array,
): Operation<Uint8Array> {
  return yield { primitive: "mlKemDecapsulate", parameters, seed, ciphertext };
}
