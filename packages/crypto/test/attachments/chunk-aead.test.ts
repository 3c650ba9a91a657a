import { expect, test } from "vitest";
import { type Chunk, type ChunkAead, inlineChunkAead } from "../../src/index.ts";
import { startChunkAead, webChunkAead } from "../../src/platform/web-chunk-aead.ts";

test("WebCrypto is taken where it is there and right", async () => {
  expect(await startChunkAead()).toBe(webChunkAead);
});

test("what is not there, is wrong, or accepts what it should refuse gives way to the inline steps", async () => {
  const right = async (raw: Uint8Array) => await inlineChunkAead.key(raw);
  const wrong: readonly ChunkAead[] = [
    {
      key: () => {
        throw new TypeError("crypto.subtle is undefined");
      },
    },
    { key: async (raw) => ({ ...(await right(raw)), seal: (chunk: Chunk) => chunk.bytes }) },
    { key: async (raw) => ({ ...(await right(raw)), open: () => new Uint8Array(37).fill(2) }) },
  ];
  for (const web of wrong) expect(await startChunkAead(web)).toBe(inlineChunkAead);
});
