import { isDiskFull } from "./mail/log-disk.ts";

/** SQLite's primary result codes, which are the low byte of what node:sqlite gives as `errcode`. */
const BUSY = 5;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;

export const isBusy = (cause: unknown): boolean => primaryCode(cause) === BUSY;

/** No room: nothing was written, reading goes on, and writing works again once there is some. */
export const isFull = (cause: unknown): boolean => primaryCode(cause) === FULL || isDiskFull(cause);

/**
 * After an fsync that failed nobody knows what is on the disk, and a second one may succeed without having
 * written anything: the only safe step is to end, and to read at the next start what is really there.
 */
export const isFatal = (cause: unknown): boolean =>
  primaryCode(cause) === IO_ERROR || primaryCode(cause) === CORRUPT;

export const isStoreError = (cause: unknown): boolean => primaryCode(cause) !== undefined;

function primaryCode(cause: unknown): number | undefined {
  const code = (cause as { errcode?: unknown } | null | undefined)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
