import { CryptoError } from "../crypto-error.ts";
import { type Label, labelled } from "../labels.ts";
import { hkdfSha256 } from "../primitives/hash.ts";
import type { ChunkAead, ChunkKey } from "./chunk-aead.ts";
import type { StreamHeader } from "./stream-header.ts";

/**
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance", 2015, section 7), over AES-256-GCM: the nonce of a chunk is a prefix of 7 bytes, its
 * number in 4 and one byte that is 1 in the last. So a chunk opens at its own place only, and the end cannot be
 * moved. The key and the prefix are drawn from the file's key by HKDF with the header's random salt: none of
 * them is ever met twice, though a file key should be.
 */
export const TAG_BYTES = 16;
export const STREAM_KEY_BYTES = 32;
const PREFIX_BYTES = 7;
/** What 4 bytes count: 256 TiB of chunks. */
export const CHUNKS_MAX = 2 ** 32;

export interface StreamSecret {
  readonly key: Uint8Array;
  readonly label: Label;
  /** What the stream belongs to besides its header: another value gives another key. */
  readonly binding: Uint8Array;
}

export class StreamCipher {
  readonly header: StreamHeader;
  readonly #key: ChunkKey;
  readonly #noncePrefix: Uint8Array;

  private constructor(header: StreamHeader, key: ChunkKey, noncePrefix: Uint8Array) {
    this.header = header;
    this.#key = key;
    this.#noncePrefix = noncePrefix;
  }

  static async make(
    aead: ChunkAead,
    { key, label, binding }: StreamSecret,
    header: StreamHeader,
  ): Promise<StreamCipher> {
    if (key.length !== STREAM_KEY_BYTES)
      throw new CryptoError("misuse", "a stream's key has 32 bytes");
    const drawn = hkdfSha256({
      salt: header.salt,
      ikm: key,
      info: labelled(label, binding),
      length: STREAM_KEY_BYTES + PREFIX_BYTES,
    });
    const chunkKey = await aead.key(drawn.slice(0, STREAM_KEY_BYTES));
    return new StreamCipher(header, chunkKey, drawn.slice(STREAM_KEY_BYTES));
  }

  async seal(index: number, isLast: boolean, bytes: Uint8Array): Promise<Uint8Array> {
    const nonce = chunkNonce(this.#noncePrefix, index, isLast);
    return await this.#key.seal({ nonce, aad: this.header.bytes, bytes });
  }

  async open(index: number, isLast: boolean, bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.length < TAG_BYTES) throw new CryptoError("truncated", "a chunk without its tag");
    const nonce = chunkNonce(this.#noncePrefix, index, isLast);
    return await this.#key.open({ nonce, aad: this.header.bytes, bytes });
  }
}

/** prefix 7 || number 4, big-endian || 1 in the last, else 0. */
export function chunkNonce(prefix: Uint8Array, index: number, isLast: boolean): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= CHUNKS_MAX)
    throw new CryptoError("misuse", "more chunks than a stream can count");
  const nonce = new Uint8Array(PREFIX_BYTES + 5);
  nonce.set(prefix);
  new DataView(nonce.buffer).setUint32(PREFIX_BYTES, index);
  nonce[nonce.length - 1] = isLast ? 1 : 0;
  return nonce;
}
