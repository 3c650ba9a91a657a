/** To that many digits behind the point; below 0, to tens, hundreds and so on. */
export function round(value: number, digits = 0): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
