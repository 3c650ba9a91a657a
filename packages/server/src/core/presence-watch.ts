import { fromHex } from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";
import { NO_PRESENCE, type Presence, type PresenceStore } from "../ports/presence-store.ts";
import type { DeviceSession } from "./device-session.ts";
import { type ToldPresence, WatchedPresence } from "./watched-presence.ts";

export interface WatchTarget {
  readonly accountId: string;
  /** Any of them may fit. */
  readonly tokenHashes: readonly string[];
}

interface Watched {
  readonly presence: WatchedPresence;
  readonly unsubscribe: () => void;
}

/** What one connection watches. */
export class PresenceWatch {
  readonly #parts: { readonly store: PresenceStore; readonly clock: Clock };
  readonly #session: DeviceSession;
  readonly #watched = new Map<string, Watched>();
  #own: Presence = NO_PRESENCE;
  #unsubscribeOwn: (() => void) | undefined;

  constructor(
    parts: { readonly store: PresenceStore; readonly clock: Clock },
    session: DeviceSession,
  ) {
    this.#parts = parts;
    this.#session = session;
  }

  get size(): number {
    return this.#watched.size;
  }

  async replace(targets: readonly WatchTarget[]): Promise<void> {
    const { store } = this.#parts;
    this.#unsubscribeOwn ??= await store.subscribe(this.#session.accountId, (own) => {
      this.#own = own;
      for (const { presence } of this.#watched.values()) presence.look();
    });
    const told = new Map([...this.#watched].map(([id, { presence }]) => [id, presence.told]));
    this.#stopWatching();
    for (const { accountId, tokenHashes } of targets) {
      const presence = this.#presenceOf(accountId, tokenHashes, told.get(accountId));
      const unsubscribe = await store.subscribe(accountId, (now) => presence.changed(now));
      this.#watched.set(accountId, { presence, unsubscribe });
    }
  }

  stop(): void {
    this.#stopWatching();
    this.#unsubscribeOwn?.();
  }

  #stopWatching(): void {
    for (const { presence, unsubscribe } of this.#watched.values()) {
      unsubscribe();
      presence.stop();
    }
    this.#watched.clear();
  }

  #presenceOf(accountId: string, tokenHashes: readonly string[], before?: ToldPresence) {
    const tell = ({ isOnline, lastSeenMs }: ToldPresence) => {
      this.#session.tell({
        case: "presenceChanged",
        value: {
          accountId: fromHex(accountId),
          online: isOnline,
          lastSeenMs: BigInt(lastSeenMs),
        },
      });
    };
    const parts = { clock: this.#parts.clock, own: () => this.#own, tell };
    return new WatchedPresence(parts, tokenHashes, before);
  }
}
