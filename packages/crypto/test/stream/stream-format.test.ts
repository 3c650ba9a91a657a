import { createDecipheriv, createHash, hkdfSync } from "node:crypto";
import type { SealedFile } from "@parley/protocol";
import { expect, test } from "vitest";
import { beginAttachment, paddedFileBytes } from "../../src/index.ts";
import { webChunkAead as aead } from "../../src/platform/web-chunk-aead.ts";
import { padme } from "../../src/primitives/padme.ts";
import { chunkNonce } from "../../src/stream/stream-cipher.ts";
import { headerBytesOf, makeStreamHeader, StreamKind } from "../../src/stream/stream-header.ts";
import { collect, joined } from "../fixtures/bytes.ts";
import { seededRandom } from "../fixtures/random.ts";

const CHUNK = 65_536;
const misuse = expect.objectContaining({ code: "misuse" });

/** By what the comments of src/stream say, with node:crypto and nothing of ours. */
function openedBySpecification(file: SealedFile, blob: Uint8Array, label: string): Uint8Array {
  const [header, body] = [blob.subarray(0, 37), blob.subarray(37)];
  expect(createHash("sha256").update(header).digest()).toEqual(Buffer.from(file.headerHash));
  expect([...header.subarray(0, 3)]).toEqual([1, label.includes("thumbnail") ? 2 : 1, 16]);
  expect([...header.subarray(35)]).toEqual([0, 0]);
  const info = Buffer.alloc(label.length + 1 + 16);
  info.write(label, "ascii");
  info.writeBigUInt64BE(file.sizeBytes, label.length + 1);
  info.writeBigUInt64BE(file.paddedBytes, label.length + 9);
  const drawn = Buffer.from(hkdfSync("sha256", file.key, header.subarray(3, 35), info, 39));
  const plain: Uint8Array[] = [];
  for (let at = 0, index = 0; at < body.length; index++) {
    const chunk = body.subarray(at, at + CHUNK + 16);
    at += chunk.length;
    const nonce = Buffer.alloc(12);
    drawn.copy(nonce, 0, 32);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = at === body.length ? 1 : 0;
    const decipher = createDecipheriv("aes-256-gcm", drawn.subarray(0, 32), nonce);
    decipher.setAAD(header);
    decipher.setAuthTag(chunk.subarray(-16));
    plain.push(decipher.update(chunk.subarray(0, -16)), decipher.final());
  }
  return joined(plain);
}

test.each([
  ["file", "Parley attachment v1"],
  ["thumbnail", "Parley thumbnail v1"],
] as const)("a %s is what its documented format says", async (kind, label) => {
  const random = seededRandom("format");
  const plain = random(8000);
  const content = joined(Array.from({ length: 20 }, () => plain));
  const sizeBytes = content.length;
  const { file, seal } = await beginAttachment({ aead, random, kind, sizeBytes });
  const opened = openedBySpecification(file, await collect(seal([content])), label);
  expect(opened.length).toBe(paddedFileBytes(sizeBytes));
  expect(opened.subarray(0, sizeBytes)).toEqual(content);
  expect(opened.subarray(sizeBytes).every((byte) => byte === 0)).toBe(true);
});

test("a chunk's number goes as far as 4 bytes, and no further", () => {
  const prefix = new Uint8Array(7).fill(9);
  expect([...chunkNonce(prefix, 2 ** 32 - 1, true).subarray(7)]).toEqual([255, 255, 255, 255, 1]);
  expect([...chunkNonce(prefix, 0, false)]).toEqual([...prefix, 0, 0, 0, 0, 0]);
  for (const index of [2 ** 32, -1, 0.5, Number.NaN])
    expect(() => chunkNonce(prefix, index, false)).toThrow(misuse);
});

test("no two places of a stream have one nonce", () => {
  const prefix = new Uint8Array(7);
  const places = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31, 2 ** 32 - 1];
  const nonces = places.flatMap((index) =>
    [true, false].map((isLast) => chunkNonce(prefix, index, isLast).join()),
  );
  expect(new Set(nonces).size).toBe(nonces.length);
});

test("a header that claims to be long is refused before it is waited for", () => {
  const salt = new Uint8Array(32);
  const header = makeStreamHeader(StreamKind.backup, salt, new Uint8Array(1024)).bytes;
  expect(headerBytesOf(header, StreamKind.backup)).toBe(37 + 1024);
  const long = header.slice(0, 37).with(35, 0xff);
  expect(() => headerBytesOf(long, StreamKind.backup)).toThrow(
    expect.objectContaining({ code: "malformed" }),
  );
  expect(() => makeStreamHeader(StreamKind.backup, salt, new Uint8Array(1025))).toThrow(misuse);
});

test("Padmé is exact where floating point is not", () => {
  for (let bits = 1; bits < 52; bits++) {
    expect(padme(2 ** bits)).toBe(2 ** bits);
    // What is just below a power of two is rounded up to it, and what is just above to its first step.
    expect(padme(2 ** bits - 1)).toBeLessThanOrEqual(2 ** bits);
    const step = 2 ** (bits - (Math.floor(Math.log2(bits)) + 1));
    if (bits > 4) expect(padme(2 ** bits + 1)).toBe(2 ** bits + step);
  }
  expect(padme(2 ** 48 - 1)).toBe(2 ** 48);
  expect(padme(2 ** 47 + 2 ** 46)).toBe(2 ** 47 + 2 ** 46);
});
