import { ErrorCode, type ErrorResponse } from "./gen/parley/wire/v1/error_pb.ts";

type Options = ErrorOptions & { readonly retryAfterMs?: number };

/**
 * A failure that any request may meet, on its way to the other side as an `ErrorResponse`. What the
 * caller must act on (a device list out of date, an account that is gone) is not an error: it is a case of
 * that request's own response.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  /** How long to wait before trying again; undefined where trying again cannot help. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: Options = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterMs =
      options.retryAfterMs ?? (isRetryable(code) ? RETRY_AFTER_MS_DEFAULT : undefined);
  }

  /** For the edge, once per request. What it does not know becomes INTERNAL, and says nothing more. */
  static from(cause: unknown): ProtocolError {
    if (cause instanceof ProtocolError) return cause;
    return new ProtocolError(ErrorCode.INTERNAL, "internal error", { cause });
  }

  static fromResponse({ code, message, retryAfterMs }: ErrorResponse): ProtocolError {
    return new ProtocolError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
}

/** Ranges, so that a client knows what to do about a code that is newer than itself. */
export function isRetryable(code: ErrorCode): boolean {
  return code >= 100 && code < 200;
}

/** The connection is closed behind such an error. */
export function closesConnection(code: ErrorCode): boolean {
  return code >= 200 && code < 300;
}

/** Where the server names no time: long enough not to spin, short enough not to be felt. */
const RETRY_AFTER_MS_DEFAULT = 1000;
