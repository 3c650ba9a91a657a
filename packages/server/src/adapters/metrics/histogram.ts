/** Counts values in ranges, for a few nanoseconds each: prom-client's own costs a thousand. */
export class Histogram {
  /** Upper ends, each within its range, rising. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last is for what is above all of them. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: Float64Array;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((bounds[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    (this.counts[low] as number)++;
    this.sum += value;
  }
}
