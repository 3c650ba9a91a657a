import { addressKey, type DeviceAddress } from "../../ports/device-address.ts";
import type { SessionNumber, SessionRegistry } from "../../ports/session-registry.ts";

/** For one process. Claims end with their release: there is no other gateway that could vanish. */
export class MemorySessionRegistry implements SessionRegistry {
  readonly #claims = new Map<string, SessionNumber>();
  #last: SessionNumber = 0n;

  async claim(device: DeviceAddress): Promise<SessionNumber> {
    this.#last++;
    this.#claims.set(addressKey(device), this.#last);
    return this.#last;
  }

  async refresh(device: DeviceAddress, session: SessionNumber): Promise<boolean> {
    return this.#claims.get(addressKey(device)) === session;
  }

  async release(device: DeviceAddress, session: SessionNumber): Promise<void> {
    const key = addressKey(device);
    if (this.#claims.get(key) === session) this.#claims.delete(key);
  }
}
