import type { Operation } from "@parley/crypto";

/**
 * Drives the cryptographic operations with the fastest primitives of the platform: at once on Node
 * (node:crypto), over promises in a browser (WebCrypto). Callers always `await`.
 */
export interface CryptoRunner {
  run<T>(operation: Operation<T>): T | Promise<T>;
}
