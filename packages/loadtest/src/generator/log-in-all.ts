import type { Account } from "../parley/account.ts";
import { Device } from "../parley/device.ts";

/** So that nobody waits longer for his login than a server allows. */
const AT_ONCE = 32;

/** Everybody, in the order given. */
export async function logInAll(accounts: readonly Account[], port: number): Promise<Device[]> {
  const devices: Device[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < accounts.length; i = next++)
      devices[i] = await Device.logIn(accounts[i] as Account, port);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return devices;
}
