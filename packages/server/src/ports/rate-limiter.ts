/** What is counted. Every budget is configuration. */
export type Budget =
  | "sign-up"
  | "login"
  | "send"
  | "live"
  | "directory"
  | "prekeys"
  | "account"
  | "link";

export interface RateLimiter {
  /** Takes one; rejects with RATE_LIMITED, and says when to ask again, where none is left. */
  spend(budget: Budget, key: string): Promise<void>;
}
