import { addressKey, type DeviceAddress } from "../../ports/device-address.ts";
import type { Wakeup, WakeupBus } from "../../ports/wakeup-bus.ts";

type Listener = (wakeup: Wakeup) => void;

/** For one process. Loses nothing, which no caller may rely on. */
export class MemoryWakeupBus implements WakeupBus {
  readonly #listeners = new Map<string, Set<Listener>>();

  async wake(device: DeviceAddress, wakeup: Wakeup): Promise<boolean> {
    const listeners = this.#listeners.get(addressKey(device));
    if (listeners === undefined) return false;
    for (const listener of [...listeners]) listener(wakeup);
    return true;
  }

  async subscribe(device: DeviceAddress, listener: Listener): Promise<() => void> {
    const key = addressKey(device);
    const listeners = this.#listeners.get(key) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(key, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners)
        this.#listeners.delete(key);
    };
  }
}
