import { CryptoError } from "../crypto-error.ts";
import type { Chunk, ChunkAead } from "../stream/chunk-aead.ts";

/** AES-256-GCM by WebCrypto: browsers, their workers, Node. The key cannot be exported again. */
export const webChunkAead: ChunkAead = {
  key: async (raw) => {
    const { subtle } = globalThis.crypto;
    const key = await subtle.importKey("raw", Uint8Array.from(raw), "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    return {
      seal: async (chunk) =>
        new Uint8Array(await subtle.encrypt(parametersOf(chunk), key, viewOf(chunk.bytes))),
      open: async (chunk) => {
        try {
          return new Uint8Array(
            await subtle.decrypt(parametersOf(chunk), key, viewOf(chunk.bytes)),
          );
        } catch {
          throw new CryptoError("not-authentic", "AES-GCM tag does not hold");
        }
      },
    };
  },
};

function parametersOf({ nonce, aad }: Chunk) {
  return { name: "AES-GCM", iv: viewOf(nonce), additionalData: viewOf(aad) };
}

/** WebCrypto takes no shared memory; what is shared is copied. */
function viewOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : Uint8Array.from(bytes);
}
