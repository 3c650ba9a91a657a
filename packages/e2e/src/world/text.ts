import { createHash } from "node:crypto";
import type { SeededRandom } from "../simulation/seeded-random.ts";

const FILLERS = [
  "",
  "see you at eight",
  "two\nlines\n\nand an empty one",
  "مرحبا كيف حالك",
  "שלום\u200f (mixed) ١٢٣",
  "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
  "e\u0301 a\u030a \u1112\u1161\u11ab",
  "今天天气很好",
  "x".repeat(127),
  "nul \u0000 and tab\t",
];
/** 64 KiB is the limit of a text; it costs enough to be rare. */
const LONG_BYTES_MAX = 60_000;

/** A text that begins with its key, so that whoever sees it knows which one it is. */
export function textOf(key: string, random: SeededRandom): string {
  const filler = random.chance(0.01)
    ? "long ".repeat(random.integer(1, LONG_BYTES_MAX / 5))
    : random.pick(FILLERS);
  return `${key} ${filler}`;
}

export function keyOf(text: string): string {
  return text.slice(0, text.indexOf(" "));
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
