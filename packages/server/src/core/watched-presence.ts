import type { Clock } from "../ports/clock.ts";
import { NO_PRESENCE, type Presence, type PresenceListener } from "../ports/presence-store.ts";

/** What a watcher is told of an account. */
export interface ToldPresence {
  readonly isOnline: boolean;
  readonly lastSeenMs: number;
}

const NOTHING: ToldPresence = { isOnline: false, lastSeenMs: 0 };
/** A person does not see more, and a connection that comes and goes costs its watchers no more. */
const TELL_EVERY_MS = 1_000;

export interface WatchedParts {
  readonly clock: Clock;
  /** Of the watcher's own account: whoever hides does not see. */
  readonly own: Presence;
  tell(accountId: string, told: ToldPresence): void;
}

export interface WatchTarget {
  readonly accountId: string;
  /** Compact; any of them may fit. */
  readonly tokenHashes: readonly string[];
}

/** One account, as one connection watches it: tells what may be seen and has changed, once a second at most. */
export class WatchedPresence implements PresenceListener {
  readonly #parts: WatchedParts;
  readonly #target: WatchTarget;
  #presence: Presence = NO_PRESENCE;
  #told: ToldPresence;
  /** Nothing was told over this watch yet. */
  #toldAtMs: number | undefined;
  /** What is seen is told though it was told before: the watch is new. */
  #mustTell = true;
  #cancelTelling: (() => void) | undefined;

  /** `before`: what the connection was told by the watch that this one replaces. */
  constructor(parts: WatchedParts, target: WatchTarget, before: ToldPresence = NOTHING) {
    this.#parts = parts;
    this.#target = target;
    this.#told = before;
  }

  get told(): ToldPresence {
    return this.#told;
  }

  changed(presence: Presence): void {
    this.#presence = presence;
    this.look();
  }

  /** What may be seen may have changed. */
  look(): void {
    if (this.#cancelTelling !== undefined) return;
    const seen = this.#seen();
    const isNews = !isSame(seen, this.#told) || (this.#mustTell && !isSame(seen, NOTHING));
    this.#mustTell = false;
    if (!isNews) return;
    const now = this.#parts.clock.now();
    // A clock that was set back delays nothing.
    const elapsedMs = now - (this.#toldAtMs ?? Number.NEGATIVE_INFINITY);
    if (elapsedMs >= 0 && elapsedMs < TELL_EVERY_MS) {
      this.#cancelTelling = this.#parts.clock.after(TELL_EVERY_MS - elapsedMs, () => {
        this.#cancelTelling = undefined;
        this.look();
      });
      return;
    }
    this.#told = seen;
    this.#toldAtMs = now;
    this.#parts.tell(this.#target.accountId, seen);
  }

  stop(): void {
    this.#cancelTelling?.();
  }

  /** A wrong token and an account that shares nothing look the same. */
  #seen(): ToldPresence {
    const { tokenHash, isOnline, sharesLastSeen, lastSeenMs } = this.#presence;
    const { own } = this.#parts;
    if (own.tokenHash === undefined || tokenHash === undefined) return NOTHING;
    if (!this.#target.tokenHashes.includes(tokenHash)) return NOTHING;
    if (isOnline) return { isOnline, lastSeenMs: 0 };
    return { isOnline, lastSeenMs: sharesLastSeen && own.sharesLastSeen ? lastSeenMs : 0 };
  }
}

function isSame(a: ToldPresence, b: ToldPresence): boolean {
  return a.isOnline === b.isOnline && a.lastSeenMs === b.lastSeenMs;
}
