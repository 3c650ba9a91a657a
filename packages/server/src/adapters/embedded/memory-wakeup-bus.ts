import type { DeviceAddress } from "../../ports/device-address.ts";
import type { Wakeup, WakeupBus, WakeupListener } from "../../ports/wakeup-bus.ts";
import { DeviceTable } from "./device-table.ts";

/** For one process. Loses nothing, which no caller may rely on. */
export class MemoryWakeupBus implements WakeupBus {
  readonly #listeners = new DeviceTable<WakeupListener>();

  async wake(device: DeviceAddress, wakeup: Wakeup): Promise<boolean> {
    return this.#listeners.forEach(device, (listener) => listener.hear(wakeup));
  }

  async subscribe(device: DeviceAddress, listener: WakeupListener): Promise<void> {
    this.#listeners.add(device, listener);
  }

  unsubscribe(device: DeviceAddress, listener: WakeupListener): void {
    this.#listeners.remove(device, listener);
  }
}
