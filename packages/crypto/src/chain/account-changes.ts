import {
  type AccountChange,
  DEVICES_PER_ACCOUNT_MAX,
  type DeviceEntry,
  equalBytes,
} from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import { verifyConsent } from "../identity/account.ts";
import type { Operation } from "../operation.ts";

/** Why a change cannot stand where it does. */
export type ChangeRefusal =
  | "device-without-consent"
  | "device-id-taken"
  | "device-key-taken"
  | "device-not-listed"
  | "too-many-devices"
  | "no-devices"
  | "root-only-change"
  /** Reserved, or newer than this code. */
  | "unknown-change";

export type ChangedDevices =
  | { readonly kind: "devices"; readonly devices: readonly DeviceEntry[] }
  | { readonly kind: "refused"; readonly reason: ChangeRefusal };

export interface ChangeBase {
  readonly accountId: Uint8Array;
  readonly byRoot: boolean;
  /** Before the entry. An entry of the root stands for itself: it begins with none. */
  readonly devices: readonly DeviceEntry[];
}

/** The devices after an entry's changes, taken in their order. */
export function* applyChanges(
  base: ChangeBase,
  changes: readonly AccountChange[],
): Operation<ChangedDevices> {
  let devices = base.byRoot ? [] : [...base.devices];
  for (const { change } of changes) {
    switch (change.case) {
      case "addDevice":
        devices.push(change.value);
        break;
      case "removeDevice": {
        const { deviceId } = change.value;
        if (!devices.some((device) => device.deviceId === deviceId))
          return refused("device-not-listed");
        devices = devices.filter((device) => device.deviceId !== deviceId);
        break;
      }
      case "setDevices":
        if (!base.byRoot) return refused("root-only-change");
        devices = [...change.value.devices];
        break;
      default:
        return refused("unknown-change");
    }
    const reason = listProblem(devices);
    if (reason !== undefined) return refused(reason);
  }
  if (devices.length === 0) return refused("no-devices");
  for (const device of devices)
    if (!base.devices.includes(device) && !(yield* consents(base.accountId, device)))
      return refused("device-without-consent");
  return { kind: "devices", devices: devices.sort((a, b) => a.deviceId - b.deviceId) };
}

function listProblem(devices: readonly DeviceEntry[]): ChangeRefusal | undefined {
  if (devices.length > DEVICES_PER_ACCOUNT_MAX) return "too-many-devices";
  for (const [index, device] of devices.entries())
    for (const earlier of devices.slice(0, index)) {
      if (earlier.deviceId === device.deviceId) return "device-id-taken";
      if (equalBytes(earlier.identityKey, device.identityKey)) return "device-key-taken";
    }
  return undefined;
}

function* consents(accountId: Uint8Array, device: DeviceEntry): Operation<boolean> {
  const { deviceId, registrationId, identityKey, consent } = device;
  try {
    return yield* verifyConsent({ accountId, deviceId, registrationId, identityKey }, consent);
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "invalid-key") return false;
    throw cause;
  }
}

function refused(reason: ChangeRefusal): ChangedDevices {
  return { kind: "refused", reason };
}
