import { beginAttachment, openAttachment } from "../../packages/crypto/src/index.ts";
import { webChunkAead } from "../../packages/crypto/src/platform/web-chunk-aead.ts";
import { random } from "./bench-device.ts";
import type { Workload } from "./measure.ts";

const CHUNK_BYTES = 64 * 1024;
/** A power of two: its padding adds nothing. */
const FILE_MIB = 8;
const CHUNKS = (FILE_MIB * 2 ** 20) / CHUNK_BYTES;
/** As many chunks at once as the attachments have under way. */
const UNDER_WAY = 4;

const piece = new Uint8Array(CHUNK_BYTES).fill(0x5a);
const pieces = Array.from({ length: CHUNKS }, () => piece);
const KIND = "file";

/** All of these count MiB. */
export async function sealWorkload(): Promise<Workload> {
  return {
    async prepare() {
      const sealing = await begun();
      return async () => {
        for await (const sealed of sealing.seal(pieces)) if (sealed.length === 0) break;
        return FILE_MIB;
      };
    },
  };
}

export async function openWorkload(): Promise<Workload> {
  const sealing = await begun();
  const blob: Uint8Array[] = [];
  for await (const sealed of sealing.seal(pieces)) blob.push(sealed);
  const options = { aead: webChunkAead, kind: KIND, file: sealing.file } as const;
  return {
    prepare: () => async () => {
      for await (const opened of openAttachment(options, blob)) if (opened.length === 0) break;
      return FILE_MIB;
    },
  };
}

function begun() {
  const sizeBytes = FILE_MIB * 2 ** 20;
  return beginAttachment({ aead: webChunkAead, random, kind: KIND, sizeBytes });
}

/** AES-256-GCM of WebCrypto over the same chunks, and nothing else. */
export async function bareSealWorkload(): Promise<Workload> {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("raw", random(32), "AES-GCM", false, ["encrypt"]);
  const seal = () => subtle.encrypt({ name: "AES-GCM", iv: random(12) }, key, piece);
  return { prepare: () => () => severalAtOnce(seal) };
}

export async function bareOpenWorkload(): Promise<Workload> {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("raw", random(32), "AES-GCM", false, ["encrypt", "decrypt"]);
  const iv = random(12);
  // As many buffers as a blob has: memory is read, not the cache.
  const sealed: ArrayBuffer[] = [];
  for (const plain of pieces)
    sealed.push(await subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
  const open = (chunk: number) =>
    subtle.decrypt({ name: "AES-GCM", iv }, key, sealed[chunk] as ArrayBuffer);
  return { prepare: () => () => severalAtOnce(open) };
}

async function severalAtOnce(work: (chunk: number) => Promise<unknown>): Promise<number> {
  const underWay: Promise<unknown>[] = [];
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    underWay.push(work(chunk));
    if (underWay.length >= UNDER_WAY) await underWay.shift();
  }
  await Promise.all(underWay);
  return FILE_MIB;
}
