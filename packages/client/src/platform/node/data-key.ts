import { randomBytes, scrypt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { open, seal } from "./seal.ts";
import { StoreDamagedError, WrongKeyError } from "./store-errors.ts";

/** What opens a store: a passphrase, or the path of a file that holds 32 random bytes. */
export type StoreKey = { readonly passphrase: string } | { readonly keyFile: string };

/** How the data key is wrapped, as it stands in the store. */
export interface WrappedKey {
  readonly by: "passphrase" | "key-file";
  /** scrypt's cost and salt; with a key file, which is random already, neither is needed. */
  readonly cost?: number;
  readonly salt?: string;
  readonly wrapped: string;
}

/** scrypt at N = 2^17, r = 8, p = 1: 128 MiB and about half a second for each guess (e2ee.md 1). */
const SCRYPT_COST = 2 ** 17;
const SCRYPT_BLOCK = 8;
const SCRYPT_BYTES_MAX = 256 * 1024 * 1024;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const WRAP_CONTEXT = "parley data key 1";

/** A new data key, and how it is kept. */
export async function makeDataKey(
  key: StoreKey,
): Promise<{ dataKey: Uint8Array; wrapped: WrappedKey }> {
  const dataKey = new Uint8Array(randomBytes(KEY_BYTES));
  const way =
    "passphrase" in key
      ? {
          by: "passphrase" as const,
          cost: SCRYPT_COST,
          salt: randomBytes(SALT_BYTES).toString("hex"),
        }
      : { by: "key-file" as const };
  const wrappingKey = await wrappingKeyOf(key, way);
  const wrapped = Buffer.from(seal(wrappingKey, dataKey, WRAP_CONTEXT)).toString("hex");
  return { dataKey, wrapped: { ...way, wrapped } };
}

/** Throws WrongKeyError where the key is another. */
export async function unwrapDataKey(key: StoreKey, kept: WrappedKey): Promise<Uint8Array> {
  const wrappingKey = await wrappingKeyOf(key, kept);
  const dataKey = open(wrappingKey, Buffer.from(kept.wrapped, "hex"), WRAP_CONTEXT);
  if (dataKey === undefined)
    throw new WrongKeyError(
      "passphrase" in key
        ? "the passphrase is not the one of this store"
        : "the key file is not the one of this store",
    );
  return dataKey;
}

async function wrappingKeyOf(
  key: StoreKey,
  { by, cost, salt }: Pick<WrappedKey, "by" | "cost" | "salt">,
): Promise<Uint8Array> {
  if ("keyFile" in key) {
    if (by !== "key-file") throw new WrongKeyError("this store opens with a passphrase");
    const bytes = await readFile(key.keyFile);
    if (bytes.length !== KEY_BYTES)
      throw new WrongKeyError(
        `a key file holds ${KEY_BYTES} random bytes, this one ${bytes.length}`,
      );
    return bytes;
  }
  if (by !== "passphrase") throw new WrongKeyError("this store opens with a key file");
  if (cost === undefined || salt === undefined)
    throw new StoreDamagedError("the store does not say how its key is derived");
  return await derive(key.passphrase, Buffer.from(salt, "hex"), cost);
}

function derive(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // The same text typed on another keyboard may come composed otherwise.
    const typed = passphrase.normalize("NFC");
    const options = { N: cost, r: SCRYPT_BLOCK, p: 1, maxmem: SCRYPT_BYTES_MAX };
    scrypt(typed, salt, KEY_BYTES, options, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}
