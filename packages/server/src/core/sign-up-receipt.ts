import { createHmac } from "node:crypto";
import { concatBytes, fromHex } from "@parley/protocol";

/**
 * What an account shows when it returns to a server that has lost it (delivery.md 5): HMAC-SHA256 under a
 * key as old as the data folder, over account id 16 || handle behind 2 bytes of length.
 */
export function signUpReceipt(key: Uint8Array, accountId: string, handle: string): Uint8Array {
  const name = Buffer.from(handle, "ascii");
  const body = concatBytes(fromHex(accountId), Uint8Array.of(0, name.length), name);
  return Uint8Array.from(createHmac("sha256", key).update(body).digest());
}
