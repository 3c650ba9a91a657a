/** Time, passed in everywhere so that a simulation can own it. */
export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number;
  /** Runs once after that many milliseconds of time that does not jump. The return value cancels it. */
  after(delayMs: number, run: () => void): () => void;
}
