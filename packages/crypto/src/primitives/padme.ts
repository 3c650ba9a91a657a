/**
 * Padmé (https://lbarman.ch/blog/padme/): rounds up so that only the leading bits of the length are free, at
 * most 12 %. In whole numbers throughout: a size may be above 2^32, and both sides must come to the same.
 */
export function padme(length: number): number {
  if (length < 2) return length;
  const exponent = floorLog2(length);
  const significant = floorLog2(exponent) + 1;
  const step = 2 ** (exponent - significant);
  return Math.ceil(length / step) * step;
}

/** Math.log2 rounds just below a power of two, and not everywhere in the same way. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
