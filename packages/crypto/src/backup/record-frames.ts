import { paddedFileBytes } from "../attachments/file-layout.ts";
import { CryptoError } from "../crypto-error.ts";
import type { ByteReader } from "../stream/byte-source.ts";
import { CHUNK_BYTES } from "../stream/stream-header.ts";

/** Above the largest that the schema allows: settings with 4,096 mutes, about 190,000 bytes. */
export const RECORD_BYTES_MAX = 262_144;
const VARINT_BYTES_MAX = 3;

/** Each record behind its size as a varint; then zeros, as behind a file: a size of 0 is the end. */
export async function* framed(
  records: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const record of records) {
    if (record.length === 0 || record.length > RECORD_BYTES_MAX)
      throw new CryptoError("misuse", "a record of a backup is empty or too long");
    const size = varint(record.length);
    yield size;
    yield record;
    bytes += size.length + record.length;
  }
  for (let missing = paddedFileBytes(bytes) - bytes; missing > 0; missing -= CHUNK_BYTES)
    yield new Uint8Array(Math.min(missing, CHUNK_BYTES));
}

/** Undoes `framed`; throws `malformed`. */
export async function* unframed(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const size = await takeVarint(reader);
    if (size === 0) break;
    const record = size > RECORD_BYTES_MAX ? undefined : await reader.take(size);
    if (record?.length !== size) throw new CryptoError("malformed", "a record without its end");
    yield record;
  }
  for (;;) {
    const zeros = await reader.take(CHUNK_BYTES);
    if (zeros.length === 0) return;
    if (zeros.some((byte) => byte !== 0))
      throw new CryptoError("malformed", "something behind the end of the records");
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** 0 at the end of the stream: the records may fill their padded size. */
async function takeVarint(reader: ByteReader): Promise<number> {
  let value = 0;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const [byte] = await reader.take(1);
    if (byte === undefined) {
      if (i === 0) return 0;
      break;
    }
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  throw new CryptoError("malformed", "not the size of a record");
}
