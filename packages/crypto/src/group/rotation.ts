import type { OwnSenderKey } from "@parley/protocol";

/**
 * How long a sender key is used (trust.md 4). A rotation is one distribution a receiving device: with 512 of them
 * 160–360 ms and 280 KB for each sender who speaks, so above a size it is rarer.
 */
export interface RotationRule {
  readonly messagesMax: number;
  readonly ageMaxMs: number;
}

export const SMALL_GROUP_DEVICES_MAX = 64;
export const SMALL_GROUP_ROTATION: RotationRule = {
  messagesMax: 100,
  ageMaxMs: 24 * 60 * 60 * 1000,
};
export const LARGE_GROUP_ROTATION: RotationRule = {
  messagesMax: 1000,
  ageMaxMs: 7 * 24 * 60 * 60 * 1000,
};

export type RotationReason =
  /** A fork of the group, or a rollback of this device. */
  | "demanded"
  /** A device that holds the key receives no longer: its member or itself was removed. */
  | "holder-removed"
  | "messages"
  | "age";

export function rotationRule(receivingDevices: number): RotationRule {
  return receivingDevices <= SMALL_GROUP_DEVICES_MAX ? SMALL_GROUP_ROTATION : LARGE_GROUP_ROTATION;
}

export interface RotationMoment {
  readonly receivingDevices: number;
  readonly nowMs: number;
}

/**
 * Why the key must not send once more, of what it knows itself; undefined: it may. A clock that was set back
 * postpones a rotation by age; by messages it comes all the same.
 */
export function rotationDue(
  own: OwnSenderKey,
  { receivingDevices, nowMs }: RotationMoment,
): Exclude<RotationReason, "holder-removed"> | undefined {
  const { messagesMax, ageMaxMs } = rotationRule(receivingDevices);
  if (own.rotationDemanded) return "demanded";
  if (own.iteration >= messagesMax) return "messages";
  return nowMs - Number(own.createdAtMs) >= ageMaxMs ? "age" : undefined;
}

/** After a fork alarm of the group, or a rollback of this device (trust.md 4 and 7). */
export function demandRotation(own: OwnSenderKey): OwnSenderKey {
  return { ...own, rotationDemanded: true };
}
