import { expect, test } from "vitest";
import { beginAttachment, openAttachment } from "../../src/index.ts";
import { webChunkAead as aead } from "../../src/platform/web-chunk-aead.ts";
import { fromReadable, throughStreams, toReadable } from "../../src/platform/web-streams.ts";
import { collect } from "../fixtures/bytes.ts";
import { seededRandom } from "../fixtures/random.ts";

const MIB = 2 ** 20;
const random = seededRandom("web streams");

async function sealAndOpen(plain: ReadableStream<Uint8Array>, sizeBytes: number) {
  const { file, seal } = await beginAttachment({ aead, random, kind: "file", sizeBytes });
  const open = (source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    openAttachment({ aead, kind: "file", file }, source);
  return plain.pipeThrough(throughStreams(seal)).pipeThrough(throughStreams(open));
}

/** Zeros made when they are asked for. */
function zeros(sizeBytes: number, pieceBytes: number): ReadableStream<Uint8Array> {
  function* pieces() {
    for (let left = sizeBytes; left > 0; left -= pieceBytes)
      yield new Uint8Array(Math.min(left, pieceBytes));
  }
  const iterator = pieces();
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

test("a Blob's stream is sealed and opened by piping", async () => {
  const plain = random(5000);
  const blob = new Blob([plain.slice()]);
  const out = await sealAndOpen(blob.stream(), blob.size);
  expect(await collect(fromReadable(out))).toEqual(plain);
});

test("memory stays where it is while 256 MiB pass, in pieces small and large", async () => {
  for (const pieceBytes of [50_000, 4 * MIB]) {
    const sizeBytes = 128 * MIB;
    const out = await sealAndOpen(zeros(sizeBytes, pieceBytes), sizeBytes);
    let bytes = 0;
    let peak = 0;
    globalThis.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    for await (const piece of fromReadable(out)) {
      bytes += piece.length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(bytes).toBe(sizeBytes);
    // What the collector has not yet taken; without back pressure it would be all of it.
    expect(peak).toBeLessThan(sizeBytes / 2);
  }
});

test("nothing is read ahead of a reader that waits", async () => {
  let readBytes = 0;
  async function* source() {
    for (;;) {
      readBytes += MIB;
      yield new Uint8Array(MIB);
    }
  }
  const { seal } = await beginAttachment({ aead, random, kind: "file", sizeBytes: 2 ** 40 });
  const reader = toReadable(seal(source())).getReader();
  for (let i = 0; i < 10; i++) await reader.read();
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(readBytes).toBeLessThanOrEqual(3 * MIB);
  await reader.cancel();
});

test("a failure of the source reaches the reader, and a reader that leaves closes the source", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("the disk is gone"));
    },
  });
  const out = await sealAndOpen(broken, 5);
  await expect(collect(fromReadable(out))).rejects.toThrow("the disk is gone");

  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(MIB)),
    cancel: () => {
      isCancelled = true;
    },
  });
  const reader = (await sealAndOpen(endless, 2 ** 40)).getReader();
  await reader.read();
  await reader.cancel();
  await expect.poll(() => isCancelled).toBe(true);
});
