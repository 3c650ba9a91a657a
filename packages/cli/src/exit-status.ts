import { MessengerError, type RefusalCode } from "@parley/client";
import { StoreDamagedError, StoreInUseError, WrongKeyError } from "@parley/client/node";
import { CommanderError } from "commander";

/** The part of sysexits.h that scripts may rely on. */
export const EXIT_DONE = 0;
export const EXIT_USAGE = 64;
export const EXIT_REFUSED_INPUT = 65;
export const EXIT_UNREACHABLE = 69;
/** EX_SOFTWARE: a bug of ours. */
export const EXIT_BUG = 70;
export const EXIT_TRY_AGAIN = 75;
export const EXIT_NOT_ALLOWED = 77;

/** Ends the command with a status and a line for the person. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const STATUS_OF_REFUSAL: Record<RefusalCode, number> = {
  "invalid-handle": EXIT_REFUSED_INPUT,
  "handle-not-available": EXIT_REFUSED_INPUT,
  "unknown-handle": EXIT_REFUSED_INPUT,
  "text-too-long": EXIT_REFUSED_INPUT,
  "empty-text": EXIT_REFUSED_INPUT,
  "device-name-too-long": EXIT_REFUSED_INPUT,
  "already-signed-up": EXIT_USAGE,
  "not-signed-up": EXIT_USAGE,
  unreachable: EXIT_UNREACHABLE,
  "try-again-later": EXIT_TRY_AGAIN,
  "sign-up-refused": EXIT_NOT_ALLOWED,
  "invitation-refused": EXIT_NOT_ALLOWED,
  blocked: EXIT_NOT_ALLOWED,
  "not-allowed": EXIT_NOT_ALLOWED,
  "invalid-recovery-code": EXIT_REFUSED_INPUT,
  "unknown-account": EXIT_REFUSED_INPUT,
  "invalid-link-code": EXIT_REFUSED_INPUT,
  "link-expired": EXIT_NOT_ALLOWED,
  "digits-differ": EXIT_NOT_ALLOWED,
  "too-many-devices": EXIT_NOT_ALLOWED,
};

/** What the system refuses, by errno. */
const STATUS_OF_ERRNO: Record<string, number> = {
  EACCES: EXIT_NOT_ALLOWED,
  EPERM: EXIT_NOT_ALLOWED,
  EROFS: EXIT_NOT_ALLOWED,
  // A home or a key file that is not where it was said to be, or cannot be there.
  ENOENT: EXIT_USAGE,
  ENOTDIR: EXIT_USAGE,
  EEXIST: EXIT_USAGE,
  EISDIR: EXIT_USAGE,
  ENOSPC: EXIT_TRY_AGAIN,
  EDQUOT: EXIT_TRY_AGAIN,
};

export function exitStatusOf(cause: unknown): number {
  if (cause instanceof ExitError) return cause.status;
  if (cause instanceof MessengerError) return STATUS_OF_REFUSAL[cause.code];
  if (cause instanceof StoreInUseError) return EXIT_TRY_AGAIN;
  if (cause instanceof WrongKeyError) return EXIT_NOT_ALLOWED;
  if (cause instanceof StoreDamagedError) return EXIT_REFUSED_INPUT;
  // Commander ends --help and --version with an "error" of status 0.
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return STATUS_OF_ERRNO[code] ?? EXIT_BUG;
}
