import type { DeviceAddress } from "../../ports/device-address.ts";
import {
  type DevicePresence,
  NO_PRESENCE,
  type Presence,
  type PresenceListener,
  type PresenceSharing,
  type PresenceStore,
} from "../../ports/presence-store.ts";
import type { SessionNumber } from "../../ports/session-registry.ts";

interface Row {
  presence: Presence;
  /** Where the person is, by device; undefined: nowhere. */
  at: Map<number, SessionNumber> | undefined;
  /** Most accounts are watched by one connection, or by none. */
  listeners: PresenceListener | Set<PresenceListener> | undefined;
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
    if (!isOlder(session, row.at?.get(deviceId))) {
      if (isActive) arriveAt(row, deviceId, session);
      else leaveFrom(row, deviceId);
    }
    this.#change(accountId, row, { ...sharing, sinceMs: nowMs });
  }

  async leave(
    { accountId, deviceId }: DeviceAddress,
    session: SessionNumber,
    sinceMs: number,
  ): Promise<void> {
    const row = this.#rows.get(accountId);
    const present = row?.at?.get(deviceId);
    if (row === undefined || present === undefined || isOlder(session, present)) return;
    leaveFrom(row, deviceId);
    this.#change(accountId, row, { ...row.presence, sinceMs });
  }

  async subscribe(accountId: string, listener: PresenceListener): Promise<void> {
    const row = this.#row(accountId);
    if (row.listeners === undefined) row.listeners = listener;
    else if (row.listeners instanceof Set) row.listeners.add(listener);
    else row.listeners = new Set([row.listeners, listener]);
    this.#idle.delete(accountId);
    listener.changed(row.presence);
  }

  unsubscribe(accountId: string, listener: PresenceListener): void {
    const row = this.#rows.get(accountId);
    if (row === undefined) return;
    if (row.listeners instanceof Set) row.listeners.delete(listener);
    else if (row.listeners === listener) row.listeners = undefined;
    this.#settle(accountId, row);
  }

  #row(accountId: string): Row {
    let row = this.#rows.get(accountId);
    if (row === undefined) {
      row = { presence: NO_PRESENCE, at: undefined, listeners: undefined };
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
    const isOnline = row.at !== undefined;
    const keepsLastSeen = tokenHash !== undefined && sharesLastSeen;
    row.presence = {
      ...{ tokenHash, sharesLastSeen, isOnline },
      lastSeenMs: keepsLastSeen ? (wasOnline && !isOnline ? sinceMs : lastSeenMs) : 0,
    };
    for (const listener of listenersOf(row)) listener.changed(row.presence);
    this.#settle(accountId, row);
  }

  /** A row that nobody is at and nobody watches is on its way to be forgotten. */
  #settle(accountId: string, row: Row): void {
    if (this.#rows.get(accountId) !== row) return;
    this.#idle.delete(accountId);
    if (row.at !== undefined || isWatched(row)) return;
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

function arriveAt(row: Row, deviceId: number, session: SessionNumber): void {
  row.at ??= new Map();
  row.at.set(deviceId, session);
}

function leaveFrom(row: Row, deviceId: number): void {
  row.at?.delete(deviceId);
  if (row.at?.size === 0) row.at = undefined;
}

/** A copy: whoever is told may end his subscription. */
function listenersOf({ listeners }: Row): readonly PresenceListener[] {
  if (listeners === undefined) return [];
  return listeners instanceof Set ? [...listeners] : [listeners];
}

function isWatched({ listeners }: Row): boolean {
  return listeners instanceof Set ? listeners.size > 0 : listeners !== undefined;
}

function isOlder(session: SessionNumber, than: SessionNumber | undefined): boolean {
  return than !== undefined && session < than;
}
