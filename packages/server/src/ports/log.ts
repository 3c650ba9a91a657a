import type { LogEvent } from "./log-events.ts";

/** All that a line may tell. A key that stands here is one that tells of no person. */
export interface LogFields {
  readonly err?: unknown;
  /** As `lib/log-id.ts` makes it; never an account id. */
  readonly account?: string;
  readonly device?: number;
  /** A request's case in the schema. */
  readonly kind?: string;
  /** An ErrorCode or a close code. */
  readonly code?: number;
  /** A limit, by its name in the settings. */
  readonly limit?: string;
  readonly isDryRun?: boolean;
  /** Another event. */
  readonly of?: LogEvent;
  readonly count?: number;
  readonly port?: number;
  readonly connections?: number;
  /** Of a row or record in the store. */
  readonly position?: number;
  /** One of the server's own, by its name in the data folder. */
  readonly file?: string;
  readonly mayBeLost?: boolean;
  readonly check?: string;
  readonly detail?: string;
  readonly ms?: number;
}

/**
 * Lines for the operator, one for an event. No content, handles, keys, tokens, addresses. Level error means a
 * bug or a broken machine; warn, that something was lost or refused which ought not to be; debug tells of
 * single requests.
 */
export interface Log {
  debug(fields: LogFields, event: LogEvent): void;
  info(fields: LogFields, event: LogEvent): void;
  warn(fields: LogFields, event: LogEvent): void;
  error(fields: LogFields, event: LogEvent): void;
}
