import { aesGcmOpen, aesGcmSeal } from "../primitives/cipher.ts";

/** One chunk, and what it is bound to. The bytes are not changed, and not kept. */
export interface Chunk {
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly bytes: Uint8Array;
}

/** AES-256-GCM (NIST SP 800-38D) under one key: a 12-byte nonce, the 16-byte tag behind the ciphertext. */
export interface ChunkKey {
  seal(chunk: Chunk): Uint8Array | Promise<Uint8Array>;
  /** Throws or rejects with CryptoError `not-authentic`. */
  open(chunk: Chunk): Uint8Array | Promise<Uint8Array>;
}

/**
 * Where the cipher of files comes from: a port of its own, since files are megabytes, and WebCrypto is 20 times
 * as fast at them as JavaScript (platform/web-chunk-aead.ts). Synchronous or not; an asynchronous one is given
 * several chunks at once.
 */
export interface ChunkAead {
  key(raw: Uint8Array): ChunkKey | Promise<ChunkKey>;
}

/** By the inline symmetric steps: anywhere, and in JavaScript alone 15 to 30 MiB/s. */
export const inlineChunkAead: ChunkAead = {
  key: (key) => ({
    seal: ({ nonce, aad, bytes }) => aesGcmSeal({ key, nonce, aad }, bytes),
    open: ({ nonce, aad, bytes }) => aesGcmOpen({ key, nonce, aad }, bytes),
  }),
};
