const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What is counted, by its name in the settings, and the time for which its number there stands. */
export const RATE_LIMITS = {
  durableSendsPerMinute: MINUTE_MS,
  liveFramesPerMinute: MINUTE_MS,
  handleLookUpsPerMinute: MINUTE_MS,
  bundleFetchesPerMinute: MINUTE_MS,
  bundlesOfAccountPerHour: HOUR_MS,
  chainFetchesPerMinute: MINUTE_MS,
  profileFetchesPerMinute: MINUTE_MS,
  accountEntriesPerHour: HOUR_MS,
  profileChangesPerHour: HOUR_MS,
  prekeyUploadsPerHour: HOUR_MS,
  drainsPerMinute: MINUTE_MS,
  skipClearsPerHour: HOUR_MS,
  signUpsPerAddressPerHour: HOUR_MS,
  loginsPerMinute: MINUTE_MS,
  failedLoginsPerAddressPerMinute: MINUTE_MS,
  linkStepsPerAddressPerMinute: MINUTE_MS,
  connectionsPerAddressPerMinute: MINUTE_MS,
  presenceRequestsPerMinute: MINUTE_MS,
} as const;

export type RateLimit = keyof typeof RATE_LIMITS;

/**
 * Token buckets: a key may use the whole number of a limit at once, and gets it back evenly over the limit's
 * time. What is counted may be forgotten (a restart, too many keys): that refuses nobody who should not be.
 *
 * An answer is how many milliseconds to wait until one is there again; 0: it is there now. It comes at once
 * where this process counts for itself, because it stands in the way of every message; a promise is for
 * counters that several processes share, such as Redis for a cluster.
 */
export interface RateLimiter {
  /** Takes one where there is one; else nothing. */
  take(limit: RateLimit, key: string): number | Promise<number>;
  /** Answers as `take` would, and takes nothing. */
  look(limit: RateLimit, key: string): number | Promise<number>;
}
