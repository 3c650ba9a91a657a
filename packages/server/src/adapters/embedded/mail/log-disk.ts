/** Where the mail log lies. A simulation brings its own, which tears, fills and fails. */
export interface LogDisk {
  /** Makes a file of that many zero bytes. It and its name are durable when the promise resolves, or at once. */
  create(path: string, sizeBytes: number): Promise<void> | undefined;
  open(path: string): LogFile;
}

/** One file of a fixed size, written in place. */
export interface LogFile {
  /**
   * Durable when the promise resolves; undefined: it is durable already. Where it fails, any part of the
   * range may hold anything. One write at a time.
   */
  write(bytes: Uint8Array, at: number): Promise<void> | undefined;
  /** Makes that range zero, without holding anything up. Durable when it resolves. */
  clear(from: number, to: number): Promise<void>;
  close(): void;
}

/** No room on the disk: nothing was accepted, and writing works again once there is some. */
export function isDiskFull(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT";
}
