import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../simulation/seeded-random.ts";

/** What a file system may swap. */
const PAGE_BYTES = 4096;

/**
 * Changes what lies in one of those files and was durable: a bit, two pages, or the end. Undefined: there was
 * nothing.
 */
export function damageFile(
  folder: string,
  files: RegExp,
  random: SeededRandom,
): string | undefined {
  const names = readdirSync(folder)
    .filter((name) => files.test(name))
    .sort();
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  const bytes = readFileSync(join(folder, name));
  const used = lastUsed(bytes) + 1;
  if (used === 0) return undefined;
  const how = random.weighted({ bit: 4, swap: 1, cut: 1 });
  const at = random.integer(0, used - 1);
  if (how === "bit") bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7));
  if (how === "swap") swapPages(bytes, at, random.integer(0, used - 1));
  writeFileSync(join(folder, name), how === "cut" ? bytes.subarray(0, at) : bytes);
  return `${how} at ${at} of ${used} in ${name}`;
}

function swapPages(bytes: Buffer, one: number, other: number): void {
  const [a, b] = [one, other].map((at) => at - (at % PAGE_BYTES)) as [number, number];
  const page = Buffer.from(bytes.subarray(a, a + PAGE_BYTES));
  bytes.copy(bytes, a, b, b + PAGE_BYTES);
  page.copy(bytes, b);
}

function lastUsed(bytes: Buffer): number {
  let last = bytes.length - 1;
  while (last >= 0 && bytes[last] === 0) last--;
  return last;
}
