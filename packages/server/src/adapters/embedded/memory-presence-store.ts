import type { DeviceAddress } from "../../ports/device-address.ts";
import {
  type DevicePresence,
  NO_PRESENCE,
  type Presence,
  type PresenceSharing,
  type PresenceStore,
} from "../../ports/presence-store.ts";
import type { SessionNumber } from "../../ports/session-registry.ts";

type Listener = (presence: Presence) => void;

interface Row {
  presence: Presence;
  /** Where the person is, by device. */
  readonly at: Map<number, SessionNumber>;
  readonly listeners: Set<Listener>;
}

/** For one process. Remembers so many accounts that nobody is at and nobody watches; the oldest go first. */
export class MemoryPresenceStore implements PresenceStore {
  readonly #remembered: number;
  readonly #rows = new Map<string, Row>();
  /** In the order in which they were left alone. */
  readonly #idle = new Set<string>();

  constructor(remembered: number) {
    this.#remembered = remembered;
  }

  async tell(
    { accountId, deviceId }: DeviceAddress,
    session: SessionNumber,
    { isActive, ...sharing }: DevicePresence,
    nowMs: number,
  ): Promise<void> {
    const row = this.#row(accountId);
    if (!isOlder(session, row.at.get(deviceId))) {
      if (isActive) row.at.set(deviceId, session);
      else row.at.delete(deviceId);
    }
    this.#change(accountId, row, { ...sharing, sinceMs: nowMs });
  }

  async leave(
    { accountId, deviceId }: DeviceAddress,
    session: SessionNumber,
    sinceMs: number,
  ): Promise<void> {
    const row = this.#rows.get(accountId);
    const present = row?.at.get(deviceId);
    if (row === undefined || present === undefined || isOlder(session, present)) return;
    row.at.delete(deviceId);
    this.#change(accountId, row, { ...row.presence, sinceMs });
  }

  async subscribe(accountId: string, listener: Listener): Promise<() => void> {
    const row = this.#row(accountId);
    // A listener of its own, so that two subscriptions of one function end one by one.
    const own: Listener = (presence) => listener(presence);
    row.listeners.add(own);
    this.#idle.delete(accountId);
    own(row.presence);
    return () => {
      row.listeners.delete(own);
      this.#settle(accountId, row);
    };
  }

  #row(accountId: string): Row {
    let row = this.#rows.get(accountId);
    if (row === undefined) {
      row = { presence: NO_PRESENCE, at: new Map(), listeners: new Set() };
      this.#rows.set(accountId, row);
    }
    return row;
  }

  #change(
    accountId: string,
    row: Row,
    { tokenHash, sharesLastSeen, sinceMs }: PresenceSharing & { readonly sinceMs: number },
  ): void {
    const { isOnline: wasOnline, lastSeenMs } = row.presence;
    const isOnline = row.at.size > 0;
    const keepsLastSeen = tokenHash !== undefined && sharesLastSeen;
    row.presence = {
      ...{ tokenHash, sharesLastSeen, isOnline },
      lastSeenMs: keepsLastSeen ? (wasOnline && !isOnline ? sinceMs : lastSeenMs) : 0,
    };
    for (const listener of [...row.listeners]) listener(row.presence);
    this.#settle(accountId, row);
  }

  /** A row that nobody is at and nobody watches is on its way to be forgotten. */
  #settle(accountId: string, row: Row): void {
    if (this.#rows.get(accountId) !== row) return;
    this.#idle.delete(accountId);
    if (row.at.size > 0 || row.listeners.size > 0) return;
    if (row.presence.tokenHash === undefined) this.#rows.delete(accountId);
    else this.#idle.add(accountId);
    if (this.#idle.size > this.#remembered) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.#idle.delete(oldest);
    this.#rows.delete(oldest);
  }
}

function isOlder(session: SessionNumber, than: SessionNumber | undefined): boolean {
  return than !== undefined && session < than;
}
