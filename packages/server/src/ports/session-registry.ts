import type { DeviceAddress } from "./device-address.ts";

/** From an atomic increment: of two connections of a device, the one with the higher number counts. */
export type SessionNumber = bigint;

/** Which connection of a device is the present one. Rebuilt by reconnecting: nothing in it is durable. */
export interface SessionRegistry {
  /**
   * From now on this connection is the device's. The one before finds out by `refresh`, or is told. Undefined,
   * and nothing is claimed: as many other devices of the account are connected.
   */
  claim(device: DeviceAddress, devicesMax: number): Promise<SessionNumber | undefined>;
  /** Keeps the claim for another five minutes. False: a newer connection has it. */
  refresh(device: DeviceAddress, session: SessionNumber): Promise<boolean>;
  /** Ignored where a newer connection has it. */
  release(device: DeviceAddress, session: SessionNumber): Promise<void>;
}
