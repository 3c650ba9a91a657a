import { nobleProvider } from "../../../packages/crypto/src/primitives/noble-provider.ts";
import {
  accountIdOf,
  deriveDeviceKeys,
  deriveRecoveredKeys,
  ed25519PublicKey,
  formatRecoveryCode,
  makeDeviceEntry,
  type Operation,
  runSync,
  sealDeviceName,
  sha256,
  signFirstEntry,
} from "../../../packages/crypto/src/index.ts";
import { fromHex, toHex } from "../../../packages/protocol/src/ids.ts";

/** What takes the place of randomness in the vectors: anybody can make it anew. */
export function fixed(name: string, byteCount = 32): Uint8Array {
  const text = (part: number) => new TextEncoder().encode(`Parley test vector ${name} ${part}`);
  const parts = Array.from({ length: Math.ceil(byteCount / 32) }, (_, part) =>
    toHex(sha256(text(part))),
  );
  return fromHex(parts.join("").slice(0, 2 * byteCount));
}

/** The next bytes at each call. */
export function fixedRandom(name: string): (byteCount: number) => Uint8Array {
  let calls = 0;
  return (byteCount) => fixed(`${name} ${++calls}`, byteCount);
}

export function run<T>(operation: Operation<T>): T {
  return runSync(nobleProvider, operation);
}

/** A person with one device, made of nothing but a name. */
export function person(name: string, registrationId: number) {
  const recoverySecret = fixed(`${name} recovery`, 20);
  const recovered = deriveRecoveredKeys(recoverySecret);
  const rootKey = run(ed25519PublicKey(recovered.rootSeed));
  const accountId = accountIdOf(rootKey);
  const seed = fixed(`${name} device`);
  const keys = run(deriveDeviceKeys(seed));
  const nonce = fixed(`${name} device name`, 12);
  const nameKey = { backupKey: recovered.backupKey, accountId, deviceId: 1 };
  const sealedName = sealDeviceName(nameKey, "laptop", nonce);
  const listed = run(
    makeDeviceEntry(keys, { accountId, deviceId: 1, registrationId, sealedName }),
  );
  const first = run(signFirstEntry(recovered.rootSeed, listed));
  const recoveryCode = formatRecoveryCode(recoverySecret);
  const device = { accountId, deviceId: 1, registrationId, keys };
  return {
    ...{ recoverySecret, recoveryCode, recovered, rootKey, accountId, seed, keys },
    ...{ registrationId, sealedName, listed, first, device },
  };
}

export type Person = ReturnType<typeof person>;
