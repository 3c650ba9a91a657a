import { ErrorCode, ProtocolError } from "@parley/protocol";
import { MessengerError } from "./api.ts";
import { ConnectionLostError } from "./connection/connection-lost-error.ts";
import { AlreadySignedUpError } from "./identity/identity.ts";

/**
 * What the user can read and act on. What is none of these is a fault, and stays what it is: after a failed
 * commit (StoreFailedError) what was asked for may have been done or not.
 */
export function asMessengerError(cause: unknown): unknown {
  if (cause instanceof ConnectionLostError)
    return new MessengerError("unreachable", "the server cannot be reached", { cause });
  if (cause instanceof AlreadySignedUpError)
    return new MessengerError("already-signed-up", "this device has an account", { cause });
  if (!(cause instanceof ProtocolError)) return cause;
  const { retryAfterMs } = cause;
  if (retryAfterMs !== undefined)
    return new MessengerError("try-again-later", againText(retryAfterMs), { cause, retryAfterMs });
  switch (cause.code) {
    case ErrorCode.HANDLE_NOT_AVAILABLE:
      return new MessengerError("handle-not-available", "the handle is not available", { cause });
    case ErrorCode.SIGN_UP_REFUSED:
      return new MessengerError("sign-up-refused", "the server takes no new account", { cause });
    case ErrorCode.INVITATION_REFUSED:
      return new MessengerError("invitation-refused", INVITATION_TEXT, { cause });
    case ErrorCode.NOT_FOUND:
      return new MessengerError("unknown-handle", "nobody has that handle", { cause });
    default:
      return new MessengerError("not-allowed", cause.message, { cause });
  }
}

const INVITATION_TEXT =
  "sign-up is by invitation here, and the code is missing, unknown, used up or out of date";

function againText(retryAfterMs: number): string {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `the server asks to try again in ${time}`;
}

export async function orMessengerError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw asMessengerError(cause);
  }
}
