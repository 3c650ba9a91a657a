import type { DeviceAddress } from "./device-address.ts";

/** Tells a sleeping device that mail waits, never what. May fail silently; the mailbox has the mail. */
export interface PushSender {
  push(device: DeviceAddress): Promise<void>;
}
