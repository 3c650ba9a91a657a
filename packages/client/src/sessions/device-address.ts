/** A device of an account. libsignal's protocol address, with ids as Parley has them. */
export interface DeviceAddress {
  /** Lower-case hex of 16 bytes. */
  readonly accountId: string;
  /** 1–127. */
  readonly deviceId: number;
}

/** The key of rows about a device; keys of one account stand together. */
export function addressKey({ accountId, deviceId }: DeviceAddress): string {
  return `${accountId}.${deviceId.toString().padStart(3, "0")}`;
}
