import { createHash } from "node:crypto";
import {
  accountHead,
  accountIdOf,
  type DeviceKeys,
  deriveDeviceKeys,
  ed25519PublicKey,
  makeDeviceEntry,
  runSync,
  signFirstEntry,
  signLogin,
} from "@parley/crypto";
import { nodeProvider } from "@parley/crypto/platform/node";
import { type AccountHead, type SignedAccountEntry, toHex } from "@parley/protocol";

export const DEVICE_ID = 1;

/** Somebody with one device, as the wire sees it. */
export interface Account {
  readonly accountId: Uint8Array;
  readonly handle: string;
  readonly head: AccountHead;
  readonly entries: readonly SignedAccountEntry[];
  readonly keys: DeviceKeys;
}

const provider = nodeProvider();

/** Always the same for the same world and number, so that several processes can log the same people in. */
export function accountOf(world: string, number: number): Account {
  const rootSeed = seedOf(world, `root ${number}`);
  const keys = runSync(provider, deriveDeviceKeys(seedOf(world, `device ${number}`)));
  const accountId = accountIdOf(runSync(provider, ed25519PublicKey(rootSeed)));
  const listedAs = {
    accountId,
    deviceId: DEVICE_ID,
    registrationId: 1 + (number % 16_380),
    sealedName: new Uint8Array(),
  };
  const device = runSync(provider, makeDeviceEntry(keys, listedAs));
  const { entry, state } = runSync(provider, signFirstEntry(rootSeed, device));
  const handle = `load_${toHex(accountId).slice(0, 16)}`;
  return { accountId, handle, head: accountHead(state), entries: [entry], keys };
}

export function loginOf({ accountId, keys }: Account, origin: string, challenge: Uint8Array) {
  const signature = runSync(
    provider,
    signLogin(keys, { origin, challenge, accountId, deviceId: DEVICE_ID }),
  );
  return { origin, accountId, deviceId: DEVICE_ID, signature };
}

function seedOf(world: string, name: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(`${world} ${name}`).digest());
}
