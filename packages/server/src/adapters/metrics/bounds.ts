/**
 * Of a delivery, in ms. Four to five a decade, finer between 1 and 150 ms, where a server that is well stands, so
 * that p50, p99 and p999 are told to within a third; 15 ms is a bound because it is the aim for p99.
 */
export const DELIVERY_MS = [
  0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_000, 5_000,
  10_000, 30_000, 60_000,
];

/** Of a commit and its fsync, in ms: from a disk with a cache of its own to one that is dying. */
export const COMMIT_MS = [
  0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 100, 250, 500, 1_000, 5_000, 30_000,
];

/** Pieces of work in one commit; group-commit takes at most 1,024. */
export const COMMIT_WORKS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
