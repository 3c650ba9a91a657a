import fs from "node:fs";
import { getHeapStatistics } from "node:v8";
import { fromHex, toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import { CryptoError } from "../src/index.ts";
import { seededRandom } from "./fixtures/random.ts";
import { DECODERS, type Decoder } from "./fuzz/decoders.ts";

/** For each decoder; FUZZ_INPUTS and FUZZ_SEED search further. What is found goes to corpus.json. */
const INPUTS = Number(process.env["FUZZ_INPUTS"] ?? 1500);
const SEED = process.env["FUZZ_SEED"] ?? "2026";
const COST_MAX_MS = 100;
/** Of the process, between two inputs. */
const MEMORY_MAX_BYTES = 256 * 1024 * 1024;

const corpus: Record<string, string[]> = JSON.parse(
  fs.readFileSync(new URL("fuzz/corpus.json", import.meta.url), "utf8"),
);

test.each(Object.entries(DECODERS))(
  "whatever it is given, nothing but a CryptoError comes of it, and soon: %s",
  async (name, decode: Decoder) => {
    const seeds = (corpus[name] ?? []).map(fromHex);
    expect(seeds.length).toBeGreaterThan(0);
    for (const seed of seeds) await feed(decode, seed);
    for (const input of inputsFrom(seeds, `${SEED} ${name}`)) await feed(decode, input);
    for (const input of largeInputs(seeds)) await feed(decode, input);
  },
);

async function feed(decode: Decoder, input: Uint8Array): Promise<void> {
  const before = usedBytes();
  // Another process may have had the core: what is slow twice is slow.
  const spentMs = (await costOf(decode, input)) < COST_MAX_MS ? 0 : await costOf(decode, input);
  const shown = toHex(input.subarray(0, 4096));
  expect(spentMs, `milliseconds for ${shown}`).toBeLessThan(COST_MAX_MS);
  expect(usedBytes() - before, `bytes for ${shown}`).toBeLessThan(MEMORY_MAX_BYTES);
}

async function costOf(decode: Decoder, input: Uint8Array): Promise<number> {
  const startedAt = performance.now();
  try {
    await decode(input);
  } catch (cause) {
    if (!(cause instanceof CryptoError))
      throw new Error(`${String(cause)}, for ${toHex(input.subarray(0, 4096))}`, { cause });
  }
  return performance.now() - startedAt;
}

function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** Genuine bytes with a few changes: flipped, replaced, put in, left out, doubled, cut off, spliced. */
function* inputsFrom(seeds: readonly Uint8Array[], seed: string): Generator<Uint8Array> {
  const below = dice(seed);
  for (let n = 0; n < INPUTS; n++) {
    const genuine = seeds[below(seeds.length)] as Uint8Array;
    let bytes = Array.from(genuine);
    for (let edits = 1 + below(6); edits > 0; edits--)
      bytes = edited(bytes, below, Array.from(seeds[below(seeds.length)] as Uint8Array));
    yield Uint8Array.from(bytes);
  }
}

type Dice = (count: number) => number;
/** Where varints, lengths and signs turn. */
const TURNS = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x12, 0x08];

function edited(bytes: number[], below: Dice, other: number[]): number[] {
  const at = below(Math.max(1, bytes.length));
  switch (below(8)) {
    case 0:
      return bytes.toSpliced(at, 1, below(256));
    case 1:
      return bytes.toSpliced(at, 1, (bytes[at] ?? 0) ^ (1 << below(8)));
    case 2:
      return bytes.toSpliced(at, 1, TURNS[below(TURNS.length)] as number);
    case 3:
      return bytes.toSpliced(at, 0, ...Array.from({ length: 1 + below(12) }, () => below(256)));
    case 4:
      return bytes.toSpliced(at, 1 + below(12));
    case 5:
      return bytes.toSpliced(at, 0, ...bytes.slice(at, at + below(64)));
    case 6:
      return below(4) === 0 ? bytes.slice(0, at) : bytes;
    default:
      return [...bytes.slice(0, at), ...other.slice(below(Math.max(1, other.length)))];
  }
}

function dice(seed: string): Dice {
  const random = seededRandom(seed);
  let drawn = random(8160);
  let at = 0;
  return (count) => {
    if (at + 4 > drawn.length) {
      drawn = random(8160);
      at = 0;
    }
    const value = new DataView(drawn.buffer, drawn.byteOffset + at, 4).getUint32(0);
    at += 4;
    return value % count;
  };
}

const LARGE_BYTES = 256 * 1024;

/** As large as an envelope may be, and as deep as one byte after the other can nest. */
function* largeInputs(seeds: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const byte of [0x00, 0xff, 0x0a, 0x0b, 0x7b]) yield new Uint8Array(LARGE_BYTES).fill(byte);
  for (const seed of seeds) {
    const repeated = new Uint8Array(LARGE_BYTES);
    for (let at = 0; at < LARGE_BYTES; at += seed.length)
      repeated.set(seed.subarray(0, LARGE_BYTES - at), at);
    yield repeated;
    yield Uint8Array.from([...seed, ...new Uint8Array(LARGE_BYTES).fill(0x0b)]);
  }
}
