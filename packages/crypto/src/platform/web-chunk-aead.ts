import { equalBytes } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { type Chunk, type ChunkAead, inlineChunkAead } from "../stream/chunk-aead.ts";

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

/** WebCrypto where it is there, which is in secure contexts only, and right; else the inline steps. */
export async function startChunkAead(web: ChunkAead = webChunkAead): Promise<ChunkAead> {
  return (await isRight(web)) ? web : inlineChunkAead;
}

/** The same bytes as the inline steps, and a changed one refused. */
async function isRight(web: ChunkAead): Promise<boolean> {
  const [raw, other] = [new Uint8Array(32).fill(1), new Uint8Array(37).fill(2)];
  const chunk = { nonce: raw.subarray(0, 12), aad: other, bytes: other };
  try {
    const [ours, theirs] = [await web.key(raw), await inlineChunkAead.key(raw)];
    const sealed = await theirs.seal(chunk);
    const isEqual =
      equalBytes(await ours.seal(chunk), sealed) &&
      equalBytes(await ours.open({ ...chunk, bytes: sealed }), other);
    return isEqual && (await refuses(() => ours.open({ ...chunk, aad: raw, bytes: sealed })));
  } catch {
    return false;
  }
}

async function refuses(open: () => Uint8Array | Promise<Uint8Array>): Promise<boolean> {
  try {
    await open();
    return false;
  } catch {
    return true;
  }
}

function parametersOf({ nonce, aad }: Chunk) {
  return { name: "AES-GCM", iv: viewOf(nonce), additionalData: viewOf(aad) };
}

/** WebCrypto takes no shared memory; what is shared is copied. */
function viewOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : Uint8Array.from(bytes);
}
