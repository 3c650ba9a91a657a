import type { DeviceAddress } from "../../ports/device-address.ts";
import type { SessionNumber, SessionRegistry } from "../../ports/session-registry.ts";
import { DeviceTable } from "./device-table.ts";

/** For one process. Claims end with their release: there is no other gateway that could vanish. */
export class MemorySessionRegistry implements SessionRegistry {
  readonly #claims = new DeviceTable<SessionNumber>();
  #last: SessionNumber = 0n;

  async claim(device: DeviceAddress, devicesMax: number): Promise<SessionNumber | undefined> {
    const older = this.#claims.get(device);
    const others = this.#claims.count(device.accountId) - (older === undefined ? 0 : 1);
    if (others >= devicesMax) return undefined;
    if (older !== undefined) this.#claims.remove(device, older);
    this.#last++;
    this.#claims.add(device, this.#last);
    return this.#last;
  }

  async refresh(device: DeviceAddress, session: SessionNumber): Promise<boolean> {
    return this.#claims.get(device) === session;
  }

  async release(device: DeviceAddress, session: SessionNumber): Promise<void> {
    this.#claims.remove(device, session);
  }
}
