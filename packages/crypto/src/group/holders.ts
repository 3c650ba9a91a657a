import {
  equalBytes,
  type KeyDistributionAck,
  type OwnSenderKey,
  type SenderKeyHolder,
  toHex,
} from "@parley/protocol";
import type { RemoteDevice } from "../ratchet/session-api.ts";

/** Of the devices that are to receive, those that were not given this key. */
export function devicesLacking<Device extends RemoteDevice>(
  own: OwnSenderKey,
  devices: readonly Device[],
): Device[] {
  const holders = new Set(own.holders.map(nameOf));
  return devices.filter((device) => !holders.has(nameOf(device)));
}

/**
 * Of the devices that were given this key, those that have not said so: what they were sent may be lost with a
 * server that was restored, and is sent again.
 */
export function devicesUnacknowledged<Device extends RemoteDevice>(
  own: OwnSenderKey,
  devices: readonly Device[],
): Device[] {
  const silent = new Set(own.holders.filter((holder) => !holder.acknowledged).map(nameOf));
  return devices.filter((device) => silent.has(nameOf(device)));
}

/** Whether somebody holds the key who is not among those that are to receive: it must be rotated. */
export function isHeldByOthers(own: OwnSenderKey, devices: readonly RemoteDevice[]): boolean {
  const receiving = new Set(devices.map(nameOf));
  return own.holders.some((holder) => !receiving.has(nameOf(holder)));
}

/** To be stored before the distributions leave: who may have the key counts as who has it. */
export function withHolders(own: OwnSenderKey, devices: readonly RemoteDevice[]): OwnSenderKey {
  const added = devicesLacking(own, devices).map(
    ({ accountId, deviceId, identity }): SenderKeyHolder => ({
      $typeName: "parley.crypto.v1.SenderKeyHolder",
      accountId,
      deviceId,
      identity,
      acknowledged: false,
    }),
  );
  return { ...own, holders: [...own.holders, ...added] };
}

/** An ack of an earlier key, of another group's, or of a device that was given nothing, changes nothing. */
export function withAck(
  own: OwnSenderKey,
  from: RemoteDevice,
  ack: KeyDistributionAck,
): OwnSenderKey {
  if (!equalBytes(ack.groupId, own.groupId)) return own;
  if (!equalBytes(ack.distributionId, own.distributionId)) return own;
  const name = nameOf(from);
  if (!own.holders.some((holder) => nameOf(holder) === name)) return own;
  const holders = own.holders.map((holder) =>
    nameOf(holder) === name ? { ...holder, acknowledged: true } : holder,
  );
  return { ...own, holders };
}

/** With the identity: a device id may have been given to another device since. */
function nameOf({ accountId, deviceId, identity }: RemoteDevice): string {
  return `${toHex(accountId)} ${deviceId} ${toHex(identity)}`;
}
