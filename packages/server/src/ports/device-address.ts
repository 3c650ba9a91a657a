/** One device of one account. The account id is lower-case hex. */
export interface DeviceAddress {
  readonly accountId: string;
  readonly deviceId: number;
}

/** For maps. */
export function addressKey({ accountId, deviceId }: DeviceAddress): string {
  return `${accountId}.${deviceId}`;
}
