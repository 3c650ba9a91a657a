import { createHash } from "node:crypto";

/** Tells accounts apart in the log, for as long as the process lives, and names none. */
export type LogId = (accountId: string) => string;

export function logIds(salt: Uint8Array): LogId {
  return (accountId) =>
    createHash("sha256").update(salt).update(accountId).digest("hex").slice(0, 12);
}
