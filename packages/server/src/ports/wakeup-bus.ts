import type { DeviceAddress } from "./device-address.ts";
import type { SessionNumber } from "./session-registry.ts";

export type Wakeup =
  /** Read the mailbox again. */
  | { readonly kind: "mail" }
  /** Look at the account, and at the mailbox's state, again. */
  | { readonly kind: "account" }
  /** A connection with this number has taken over. */
  | { readonly kind: "claimed"; readonly session: SessionNumber }
  /** A live frame, whole as it goes out. */
  | { readonly kind: "live"; readonly frame: Uint8Array };

export interface WakeupListener {
  hear(wakeup: Wakeup): void;
}

/**
 * Signals to live connections. Any of them may be lost, so each says only what its receiver finds out by
 * itself at the next refresh; a live frame that is lost is lost.
 */
export interface WakeupBus {
  /** Resolves to true where a live connection took it. */
  wake(device: DeviceAddress, wakeup: Wakeup): Promise<boolean>;
  /** Resolves once every later wake-up would arrive. */
  subscribe(device: DeviceAddress, listener: WakeupListener): Promise<void>;
  /** Ends it, now or soon. Ignored where it is not subscribed. */
  unsubscribe(device: DeviceAddress, listener: WakeupListener): void;
}
