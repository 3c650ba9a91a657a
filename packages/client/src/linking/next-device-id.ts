import { fromBinary } from "@bufbuild/protobuf";
import { AccountEntrySchema, DEVICE_ID_MAX, type SignedAccountEntry } from "@parley/protocol";

/**
 * Ids are handed out round-robin: who still holds something of a device that was removed does not soon meet another
 * one under its id (trust.md 2).
 */
export function nextDeviceId(
  entries: readonly SignedAccountEntry[],
  listed: readonly number[] = [],
): number {
  let newest = Math.max(0, ...listed);
  for (const { body } of entries)
    for (const { change } of fromBinary(AccountEntrySchema, body).changes) {
      if (change.case === "addDevice") newest = change.value.deviceId;
      if (change.case === "setDevices")
        newest = Math.max(...change.value.devices.map(({ deviceId }) => deviceId));
    }
  for (let step = 1; step <= DEVICE_ID_MAX; step++) {
    const id = 1 + ((newest - 1 + step) % DEVICE_ID_MAX);
    if (!listed.includes(id)) return id;
  }
  throw new Error("an account has fewer devices than there are ids");
}
