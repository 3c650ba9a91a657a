/** Why an operation stopped. Carries no key material, and says no more than the caller may act on. */
export type CryptoErrorCode =
  /** A key that is not canonical, of low order, or of the wrong size. */
  | "invalid-key"
  /** A signature, tag or MAC that does not hold. */
  | "not-authentic"
  /** Bytes that are not what their place demands. */
  | "malformed"
  /** Ends before its end: fetch it again. */
  | "truncated"
  /** Made by a newer version: update to read it. */
  | "unsupported-version"
  /** A backup that another recovery code opens, or that is another account's. */
  | "wrong-key"
  /** A backup older than one that this device knows of. */
  | "rolled-back"
  /** Two backups claim one place. */
  | "forked"
  /** The caller asked for what may not be done: a bug of the caller's. */
  | "misuse";

/** Crypto fails closed, with this one error. What a caller must tell apart are outcomes, not errors. */
export class CryptoError extends Error {
  override readonly name = "CryptoError";
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
