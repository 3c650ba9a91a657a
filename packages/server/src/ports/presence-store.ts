import type { DeviceAddress } from "./device-address.ts";
import type { SessionNumber } from "./session-registry.ts";

/** What an account lets others see of it. */
export interface PresenceSharing {
  /** SHA-256 of the token that a watcher shows, compact; undefined: nobody sees anything. */
  readonly tokenHash: string | undefined;
  readonly sharesLastSeen: boolean;
}

export interface Presence extends PresenceSharing {
  /** The person is at one of the account's devices. */
  readonly isOnline: boolean;
  /** When the last of them was left, milliseconds since 1970; 0: not known. */
  readonly lastSeenMs: number;
}

/** Of an account that has told nothing, or of which nothing is remembered. */
export const NO_PRESENCE: Presence = {
  tokenHash: undefined,
  sharesLastSeen: false,
  isOnline: false,
  lastSeenMs: 0,
};

/** What a device says, in one. */
export interface DevicePresence extends PresenceSharing {
  /** The person is at this device. */
  readonly isActive: boolean;
}

/**
 * Who is there. Nothing in it is durable: devices tell it again whenever they connect, so that an account
 * which is offline may be forgotten. When somebody was last there is kept only where the account shares it.
 */
export interface PresenceStore {
  /**
   * Replaces what the account lets others see, and notes whether the person is at this device, over this
   * connection of it: one change. Where he is not any more, he has not been since `nowMs`.
   */
  tell(
    device: DeviceAddress,
    session: SessionNumber,
    told: DevicePresence,
    nowMs: number,
  ): Promise<void>;
  /** The person is not at the device any more. Ignored where a newer connection has told that he is. */
  leave(device: DeviceAddress, session: SessionNumber, sinceMs: number): Promise<void>;
  /**
   * The listener is told how it stands before this resolves, then of each change, in order. A change that is
   * lost on the way is told with the next one.
   */
  subscribe(accountId: string, listener: PresenceListener): Promise<void>;
  /** Ends it, now or soon. Ignored where it is not subscribed. */
  unsubscribe(accountId: string, listener: PresenceListener): void;
}

export interface PresenceListener {
  changed(presence: Presence): void;
}
