import type { SealedFile } from "@parley/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attachmentCipher } from "../../src/attachments/attachment-cipher.ts";
import {
  type AttachmentKind,
  AttachmentReader,
  beginAttachment,
  type ChunkAead,
  inlineChunkAead,
  openAttachment,
  paddedFileBytes,
  sha256,
} from "../../src/index.ts";
import { webChunkAead } from "../../src/platform/web-chunk-aead.ts";
import { makeStreamHeader, StreamKind } from "../../src/stream/stream-header.ts";
import { collect, inPieces, joined, oneByOne, release } from "../fixtures/bytes.ts";
import { seededRandom } from "../fixtures/random.ts";

const CHUNK = 65_536;
const HEADER = 37;
const SEALED_CHUNK = CHUNK + 16;
const random = seededRandom("attachments");
const aead = webChunkAead;

/** Different everywhere, so that nothing out of place looks right. */
function content(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 0xff;
  return bytes;
}

interface Sealed {
  readonly file: SealedFile;
  readonly blob: Uint8Array;
  readonly plain: Uint8Array;
}

async function sealed(sizeBytes: number, kind: AttachmentKind = "file"): Promise<Sealed> {
  const plain = content(sizeBytes);
  const sealing = await beginAttachment({ aead, random, kind, sizeBytes });
  const blob = await collect(sealing.seal([plain]));
  expect(blob.length).toBe(sealing.blobBytes);
  return { file: sealing.file, blob, plain };
}

const opened = (file: SealedFile, blob: Uint8Array, kind: AttachmentKind = "file") =>
  release(openAttachment({ aead, kind, file }, [blob]));
const readerOf = ({ file, blob }: Sealed) =>
  AttachmentReader.open({ aead, kind: "file", file }, blob.slice(0, HEADER));

const SIZES = [0, 1, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5];

describe("an attachment", () => {
  test.each(SIZES)("of %i bytes opens to what was sealed", async (sizeBytes) => {
    const { file, blob, plain } = await sealed(sizeBytes);
    expect(await opened(file, blob)).toEqual({ bytes: plain, code: undefined });
  });

  test("opens whatever the pieces in which it is given and sealed", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(4 * CHUNK),
        fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1 }),
        async (sizeBytes, sealedIn, openedIn) => {
          const plain = content(sizeBytes);
          const sealing = await beginAttachment({ aead, random, kind: "file", sizeBytes });
          const blob = await collect(sealing.seal(inPieces(plain, sealedIn)));
          const options = { aead, kind: "file", file: sealing.file } as const;
          expect(await collect(openAttachment(options, inPieces(blob, openedIn)))).toEqual(plain);
        },
      ),
      { numRuns: 60 },
    ));

  test("is read byte by byte as well", async () => {
    const { file, blob, plain } = await sealed(5000);
    const options = { aead, kind: "file", file } as const;
    expect(await collect(openAttachment(options, oneByOne(blob)))).toEqual(plain);
  });

  test("is the same under every cipher", async () => {
    const seal = async (by: ChunkAead) => {
      const sealing = await beginAttachment({
        aead: by,
        random: seededRandom("same"),
        kind: "file",
        sizeBytes: CHUNK + 9,
      });
      return { ...sealing, blob: await collect(sealing.seal([content(CHUNK + 9)])) };
    };
    const [web, inline] = [await seal(webChunkAead), await seal(inlineChunkAead)];
    expect(web.blob).toEqual(inline.blob);
    const options = { aead: inlineChunkAead, kind: "file", file: web.file } as const;
    expect(await collect(openAttachment(options, [web.blob]))).toEqual(content(CHUNK + 9));
    const changed = web.blob.with(100, (web.blob[100] as number) ^ 1);
    expect((await release(openAttachment(options, [changed]))).code).toBe("not-authentic");
  });

  test("never has a key, a salt or a ciphertext of another", async () => {
    const [a, b] = [await sealed(10), await sealed(10)];
    expect(a.file.key).not.toEqual(b.file.key);
    expect(a.blob.slice(3, 35)).not.toEqual(b.blob.slice(3, 35));
    expect(a.blob.slice(HEADER)).not.toEqual(b.blob.slice(HEADER));
  });

  test("has a size that says little of the file's", async () => {
    const sizes = new Set<number>();
    for (let size = 0; size <= 1 << 20; size += 997) {
      const padded = paddedFileBytes(size);
      expect(padded).toBeGreaterThanOrEqual(Math.max(4096, size));
      if (size > 4096) expect(padded).toBeLessThanOrEqual(size * 1.12);
      sizes.add(padded);
    }
    expect(sizes.size).toBeLessThan(200);
    expect((await sealed(1)).blob.length).toBe((await sealed(4096)).blob.length);
  });

  test("is refused where the source has another size than was said", async () => {
    for (const given of [0, 99, 101, 5000]) {
      const sealing = await beginAttachment({ aead, random, kind: "file", sizeBytes: 100 });
      expect((await release(sealing.seal([content(given)]))).code).toBe("misuse");
    }
  });

  test("is sealed once: a key is not used for a second content", async () => {
    const sealing = await beginAttachment({ aead, random, kind: "file", sizeBytes: 1 });
    await collect(sealing.seal([content(1)]));
    expect(() => sealing.seal([content(1)])).toThrow(expect.objectContaining({ code: "misuse" }));
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 48 + 1])("of %d bytes is none", async (sizeBytes) => {
    await expect(beginAttachment({ aead, random, kind: "file", sizeBytes })).rejects.toMatchObject({
      code: "misuse",
    });
  });

  test("lets go of its source when its reader stops", async () => {
    let isClosed = false;
    function* source() {
      try {
        for (;;) yield new Uint8Array(CHUNK);
      } finally {
        isClosed = true;
      }
    }
    const sealing = await beginAttachment({ aead, random, kind: "file", sizeBytes: 1 << 30 });
    for await (const piece of sealing.seal(source())) if (piece.length > HEADER) break;
    expect(isClosed).toBe(true);
  });
});

describe("a range", () => {
  test("of any file opens from the bytes of its blob range alone", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 * CHUNK }),
        fc.nat(),
        fc.nat(),
        async (sizeBytes, a, b) => {
          const whole = await sealed(sizeBytes);
          const start = a % sizeBytes;
          const end = start + 1 + (b % (sizeBytes - start));
          const reader = await readerOf(whole);
          const part = reader.blobRange({ start, end });
          expect(part.end - part.start).toBeLessThanOrEqual(end - start + 2 * SEALED_CHUNK);
          const bytes = whole.blob.slice(part.start, part.end);
          expect(await collect(reader.read({ start, end }, [bytes]))).toEqual(
            whole.plain.slice(start, end),
          );
        },
      ),
      { numRuns: 60 },
    ));

  test("far behind 2 GiB opens, though the rest of the file is not there", async () => {
    const sizeBytes = 5 * 2 ** 30 + 12_345;
    const { file, blobBytes } = await beginAttachment({ aead, random, kind: "file", sizeBytes });
    expect(blobBytes).toBeGreaterThan(sizeBytes);
    const header = makeStreamHeader(StreamKind.file, random(32));
    const own = { ...file, headerHash: sha256(header.bytes) };
    const cipher = await attachmentCipher(aead, "file", own, header);
    const index = 70_000; // The chunk begins at 4.27 GiB.
    const chunk = await cipher.seal(index, false, content(CHUNK));
    const reader = await AttachmentReader.open({ aead, kind: "file", file: own }, header.bytes);
    const range = { start: index * CHUNK + 5, end: index * CHUNK + 9 };
    expect(reader.blobRange(range)).toEqual({
      start: HEADER + index * SEALED_CHUNK,
      end: HEADER + (index + 1) * SEALED_CHUNK,
    });
    expect(await collect(reader.read(range, [chunk]))).toEqual(content(CHUNK).slice(5, 9));
    expect((await release(reader.read({ start: 5, end: 9 }, [chunk]))).code).toBe("not-authentic");
  });

  test("that is empty, backwards or outside the file is refused", async () => {
    const reader = await readerOf(await sealed(100));
    for (const [start, end] of [
      [0, 0],
      [5, 4],
      [0, 101],
      [-1, 4],
      [0.5, 4],
    ] as const)
      expect(() => reader.blobRange({ start, end })).toThrow(
        expect.objectContaining({ code: "misuse" }),
      );
  });

  test("with bytes of another range, too few or too many, gives nothing", async () => {
    const whole = await sealed(3 * CHUNK);
    const reader = await readerOf(whole);
    const range = { start: CHUNK + 1, end: CHUNK + 2 };
    const { start, end } = reader.blobRange(range);
    for (const [bytes, code] of [
      [whole.blob.slice(start - SEALED_CHUNK, end - SEALED_CHUNK), "not-authentic"],
      [whole.blob.slice(start, end - 1), "truncated"],
      [whole.blob.slice(start, end + 1), "not-authentic"],
      [new Uint8Array(0), "truncated"],
    ] as const)
      expect(await release(reader.read(range, [bytes]))).toEqual({
        bytes: new Uint8Array(0),
        code,
      });
  });
});

describe("what was changed on its way", () => {
  const chunkOf = (blob: Uint8Array, index: number) =>
    blob.slice(HEADER + index * SEALED_CHUNK, HEADER + (index + 1) * SEALED_CHUNK);

  /** Nothing but a beginning of the true file ever comes out, in whole chunks. */
  async function expectFails(whole: Sealed, blob: Uint8Array, code: unknown = expect.any(String)) {
    const out = await release(openAttachment({ aead, kind: "file", file: whole.file }, [blob]));
    expect(out.code).toEqual(code);
    expect(out.bytes).toEqual(whole.plain.slice(0, out.bytes.length));
    expect(out.bytes.length % CHUNK).toBe(0);
    return out.bytes.length;
  }

  test("a bit anywhere fails at its own chunk", async () => {
    const whole = await sealed(2 * CHUNK + 9);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.blob.length * 8 - 1), async (bit) => {
        const at = bit >> 3;
        const changed = whole.blob.with(at, (whole.blob[at] as number) ^ (1 << (bit & 7)));
        const before = Math.max(0, Math.floor((at - HEADER) / SEALED_CHUNK)) * CHUNK;
        expect(await expectFails(whole, changed)).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  test("an end cut off anywhere is truncated", async () => {
    const whole = await sealed(2 * CHUNK + 9);
    const cuts = [0, 1, HEADER - 1, HEADER, HEADER + 15, HEADER + SEALED_CHUNK];
    for (const kept of [...cuts, whole.blob.length - 1])
      await expectFails(whole, whole.blob.slice(0, kept), "truncated");
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.blob.length - 1), async (kept) => {
        await expectFails(whole, whole.blob.slice(0, kept), "truncated");
      }),
      { numRuns: 50 },
    );
  });

  test("bytes behind the end fail, and the last chunk is not given", async () => {
    const whole = await sealed(2 * CHUNK);
    for (const more of [new Uint8Array(1), chunkOf(whole.blob, 0), chunkOf(whole.blob, 1)])
      expect(await expectFails(whole, joined([whole.blob, more]), "not-authentic")).toBe(CHUNK);
  });

  test("chunks in another order, twice or left out fail", async () => {
    const whole = await sealed(4 * CHUNK);
    const header = whole.blob.slice(0, HEADER);
    const orders = [
      [1, 0, 2, 3],
      [0, 2, 1, 3],
      [0, 0, 2, 3],
      [0, 1, 3, 2],
      [0, 1, 3],
      [3, 1, 2, 3],
    ];
    for (const order of orders)
      await expectFails(whole, joined([header, ...order.map((i) => chunkOf(whole.blob, i))]));
  });

  test("a chunk of another file, or of the same sealed again, fails", async () => {
    const [whole, other] = [await sealed(3 * CHUNK), await sealed(3 * CHUNK)];
    const header = whole.blob.slice(0, HEADER);
    const [first, , last] = [0, 1, 2].map((index) => chunkOf(whole.blob, index));
    const spliced = joined([header, first, chunkOf(other.blob, 1), last] as Uint8Array[]);
    expect(await expectFails(whole, spliced, "not-authentic")).toBe(CHUNK);
    expect(await expectFails(whole, other.blob, "not-authentic")).toBe(0);
  });

  test("a header that the message does not name fails, and one that it names holds the chunks", async () => {
    const whole = await sealed(10);
    const other = makeStreamHeader(StreamKind.file, random(32));
    const forged = joined([other.bytes, whole.blob.slice(HEADER)]);
    await expectFails(whole, forged, "not-authentic");
    const named = { ...whole, file: { ...whole.file, headerHash: sha256(other.bytes) } };
    await expectFails(named, forged, "not-authentic");
  });

  test("any other size or key in the message opens nothing", async () => {
    const whole = await sealed(5000);
    const lies: [Partial<SealedFile>, string][] = [
      [{ sizeBytes: 4999n }, "not-authentic"],
      [{ sizeBytes: 5001n }, "not-authentic"],
      [{ sizeBytes: whole.file.paddedBytes + 1n }, "malformed"],
      [{ sizeBytes: 2n ** 63n }, "malformed"],
      [{ paddedBytes: whole.file.paddedBytes - 1n }, "not-authentic"],
      [{ paddedBytes: whole.file.paddedBytes + 1n }, "truncated"],
      [{ paddedBytes: 4095n, sizeBytes: 1n }, "malformed"],
      [{ paddedBytes: 2n ** 63n }, "malformed"],
      [{ chunkBytes: 4096 }, "unsupported-version"],
      [{ key: random(32) }, "not-authentic"],
      [{ key: random(16) }, "malformed"],
      [{ headerHash: random(32) }, "not-authentic"],
      [{ headerHash: random(16) }, "malformed"],
    ];
    for (const [lie, code] of lies)
      expect(await opened({ ...whole.file, ...lie } as SealedFile, whole.blob)).toEqual({
        bytes: new Uint8Array(0),
        code,
      });
  });

  test("a padded size that moves only the end opens not even the beginning", async () => {
    const whole = await sealed(3 * CHUNK - 900);
    for (const by of [-1n, 1n, 16n, BigInt(CHUNK)]) {
      const paddedBytes = whole.file.paddedBytes + by;
      const { bytes, code } = await opened({ ...whole.file, paddedBytes }, whole.blob);
      expect(bytes).toHaveLength(0);
      expect(code).toBe("not-authentic");
    }
  });

  test("a thumbnail does not pass for a file, nor a file for a thumbnail", async () => {
    const [file, thumbnail] = [await sealed(9), await sealed(9, "thumbnail")];
    expect((await opened(thumbnail.file, thumbnail.blob, "thumbnail")).code).toBeUndefined();
    expect((await opened(thumbnail.file, thumbnail.blob, "file")).code).toBe("malformed");
    expect((await opened(file.file, file.blob, "thumbnail")).code).toBe("malformed");
  });

  test("bytes of any kind are refused with one error", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (blob) => {
        const { file } = await sealed(0);
        const named = { ...file, headerHash: sha256(blob.slice(0, HEADER)) };
        expect(await opened(named, blob)).toEqual({
          bytes: new Uint8Array(0),
          code: expect.stringMatching(/^(malformed|truncated|unsupported-version|not-authentic)$/),
        });
      }),
    ));
});
