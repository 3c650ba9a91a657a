/** sysexits.h: what went wrong, for whoever started this. */
export const EXIT_USAGE = 64;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_BUG = 70;
export const EXIT_IO = 74;
export const EXIT_TRY_AGAIN = 75;
export const EXIT_CONFIG = 78;

/** Ends the process with a status and a line for the person. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
