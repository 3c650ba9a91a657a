/** sysexits.h: what went wrong, for whoever started this. */
export const EXIT_USAGE = 64;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_BUG = 70;
export const EXIT_IO = 74;
export const EXIT_TRY_AGAIN = 75;
export const EXIT_CONFIG = 78;
