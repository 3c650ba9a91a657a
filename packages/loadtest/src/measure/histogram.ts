/** Buckets to a power of two: a value is kept to 1/64, so a percentile is off by at most 1.6 %. */
const SUB_BUCKETS = 64;
const SUB_BUCKET_BITS = 6;
/** Above an hour everything is an hour. */
const MICROSECONDS_MAX = 3_600_000_000;
const BUCKETS = bucketOf(MICROSECONDS_MAX) + 1;

/** Counts of times in buckets that widen with the time, as HdrHistogram has them: constant size, no sample lost. */
export class Histogram {
  readonly #counts: Float64Array;
  #count = 0;
  #maxMs = 0;

  /** From `toJSON` of another process. */
  constructor(counts?: readonly (readonly [bucket: number, count: number])[], maxMs = 0) {
    this.#counts = new Float64Array(BUCKETS);
    for (const [bucket, count] of counts ?? []) {
      this.#counts[bucket] = count;
      this.#count += count;
    }
    this.#maxMs = maxMs;
  }

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const microseconds = Math.min(MICROSECONDS_MAX, Math.max(0, Math.round(ms * 1000)));
    const bucket = bucketOf(microseconds);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The highest time of the bucket in which that share of all times is reached. NaN where there is none. */
  percentileMs(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted) return Math.min(highestOf(bucket) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }

  toJSON(): HistogramData {
    const counts: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) counts.push([bucket, count]);
    });
    return { counts, maxMs: this.#maxMs };
  }

  static from(data: HistogramData): Histogram {
    return new Histogram(data.counts, data.maxMs);
  }
}

export interface HistogramData {
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly maxMs: number;
}

function bucketOf(microseconds: number): number {
  if (microseconds < SUB_BUCKETS) return microseconds;
  const exponent = Math.floor(Math.log2(microseconds)) - SUB_BUCKET_BITS;
  return exponent * SUB_BUCKETS + Math.floor(microseconds / 2 ** exponent);
}

function highestOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const exponent = Math.floor(bucket / SUB_BUCKETS) - 1;
  const within = bucket - exponent * SUB_BUCKETS;
  return (within + 1) * 2 ** exponent - 1;
}
