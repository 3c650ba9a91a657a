import { create } from "@bufbuild/protobuf";
import {
  accountIdOf,
  DEVICE_SEED_BYTES,
  deriveDeviceKeys,
  deriveRecoveredKeys,
  ed25519PublicKey,
  formatRecoveryCode,
  makeDeviceEntry,
  type Operation,
  RECOVERY_SECRET_BYTES,
  sealDeviceName,
  signFirstEntry,
} from "@parley/crypto";
import type { SignedAccountEntry } from "@parley/protocol";
import { type DeviceIdentity, DeviceIdentitySchema } from "../gen/parley/store/v1/device_pb.ts";
import type { Random } from "../ports/random.ts";
import type { SignUpOptions } from "./identity.ts";

export interface SignUpMaterial {
  readonly identity: DeviceIdentity;
  readonly genesis: SignedAccountEntry;
}

const FIRST_DEVICE_ID = 1;
/** As libsignal draws registration ids: 1 to 16,380. */
const REGISTRATION_ID_MAX = 16_380;
const NONCE_BYTES = 12;

/** Everything that is drawn by lot for a new account, and the first entry of its chain (trust.md 2). */
export function* makeSignUpMaterial(
  random: Random,
  { handle, invitation = "", deviceName = "" }: SignUpOptions,
  nowMs: number,
): Operation<SignUpMaterial> {
  const secret = random(RECOVERY_SECRET_BYTES);
  const recoveryCode = formatRecoveryCode(secret);
  const { rootSeed, backupKey, backupId } = deriveRecoveredKeys(secret);
  secret.fill(0);
  const rootKey = yield* ed25519PublicKey(rootSeed);
  const accountId = accountIdOf(rootKey);
  const seed = random(DEVICE_SEED_BYTES);
  const deviceId = FIRST_DEVICE_ID;
  const registrationId = drawRegistrationId(random);
  const nameKey = { backupKey, accountId, deviceId };
  const sealedName = sealDeviceName(nameKey, deviceName, random(NONCE_BYTES));
  const keys = yield* deriveDeviceKeys(seed);
  const listedAs = { accountId, deviceId, registrationId, sealedName };
  const first = yield* signFirstEntry(rootSeed, yield* makeDeviceEntry(keys, listedAs));
  rootSeed.fill(0);
  const identity = create(DeviceIdentitySchema, {
    ...{ seed, registrationId, accountId, deviceId, rootKey },
    ...{ handle, invitation, deviceName, recoveryCode, backupKey, backupId },
    createdAtMs: BigInt(nowMs),
  });
  return { identity, genesis: first.entry };
}

export function drawRegistrationId(random: Random): number {
  const [a = 0, b = 0, c = 0] = random(3);
  return 1 + ((a * 65_536 + b * 256 + c) % REGISTRATION_ID_MAX);
}
