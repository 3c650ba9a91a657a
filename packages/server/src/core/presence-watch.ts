import { fromHex } from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";
import {
  NO_PRESENCE,
  type Presence,
  type PresenceListener,
  type PresenceStore,
} from "../ports/presence-store.ts";
import type { DeviceSession } from "./device-session.ts";
import {
  type ToldPresence,
  type WatchedParts,
  WatchedPresence,
  type WatchTarget,
} from "./watched-presence.ts";

export interface WatchParts {
  readonly store: PresenceStore;
  readonly clock: Clock;
}

/** What one connection watches. It listens to its own account too: whoever hides does not see. */
export class PresenceWatch implements PresenceListener, WatchedParts {
  readonly clock: Clock;
  own: Presence = NO_PRESENCE;
  readonly #store: PresenceStore;
  readonly #session: DeviceSession;
  readonly #watched = new Map<string, WatchedPresence>();
  #hearsOwn = false;

  constructor({ store, clock }: WatchParts, session: DeviceSession) {
    this.clock = clock;
    this.#store = store;
    this.#session = session;
  }

  get size(): number {
    return this.#watched.size;
  }

  async replace(targets: readonly WatchTarget[]): Promise<void> {
    if (!this.#hearsOwn) await this.#store.subscribe(this.#session.accountId, this);
    this.#hearsOwn = true;
    const told = new Map([...this.#watched].map(([id, watched]) => [id, watched.told]));
    this.#stopWatching();
    for (const target of targets) {
      const watched = new WatchedPresence(this, target, told.get(target.accountId));
      this.#watched.set(target.accountId, watched);
      await this.#store.subscribe(target.accountId, watched);
    }
  }

  stop(): void {
    this.#stopWatching();
    this.#store.unsubscribe(this.#session.accountId, this);
  }

  /** Of the own account. */
  changed(own: Presence): void {
    this.own = own;
    for (const watched of this.#watched.values()) watched.look();
  }

  tell(accountId: string, { isOnline, lastSeenMs }: ToldPresence): void {
    this.#session.tell({
      case: "presenceChanged",
      value: {
        accountId: fromHex(accountId),
        online: isOnline,
        lastSeenMs: BigInt(lastSeenMs),
      },
    });
  }

  #stopWatching(): void {
    for (const [accountId, watched] of this.#watched) {
      this.#store.unsubscribe(accountId, watched);
      watched.stop();
    }
    this.#watched.clear();
  }
}
