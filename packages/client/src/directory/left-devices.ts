import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transactor.ts";
import type { ListedDevice } from "./directory.ts";

/**
 * Devices that a newer list does not have any more. What the server accepted of them before is still to be read:
 * they are known until a drain that was asked for behind the news (trust.md 3).
 */
const LEFT = "left/";
const ALL = { from: LEFT, before: `${LEFT}~` };
const IDENTITY_BYTES = 32;

export function putLeft(
  tx: Transaction,
  { address, identityKey, registrationId }: ListedDevice,
): void {
  const row = new Uint8Array(IDENTITY_BYTES + 4);
  row.set(identityKey);
  new DataView(row.buffer).setUint32(IDENTITY_BYTES, registrationId);
  tx.put("account-chains", keyOf(address), row);
}

export async function findLeft(
  tx: Transaction,
  address: DeviceAddress,
): Promise<ListedDevice | undefined> {
  const row = await tx.get("account-chains", keyOf(address));
  if (row === undefined) return undefined;
  return {
    address,
    identityKey: row.slice(0, IDENTITY_BYTES),
    registrationId: new DataView(row.buffer, row.byteOffset).getUint32(IDENTITY_BYTES),
    sealedName: new Uint8Array(),
  };
}

export async function allLeft(tx: Transaction): Promise<readonly DeviceAddress[]> {
  const rows = await tx.range("account-chains", ALL);
  return rows.map(({ key }) => {
    const [accountId, deviceId] = key.slice(LEFT.length).split("/") as [string, string];
    return { accountId, deviceId: Number(deviceId) };
  });
}

export function dropLeft(tx: Transaction, address: DeviceAddress): void {
  tx.delete("account-chains", keyOf(address));
}

const keyOf = ({ accountId, deviceId }: DeviceAddress) => `${LEFT}${accountId}/${deviceId}`;
