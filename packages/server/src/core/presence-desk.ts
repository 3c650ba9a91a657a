import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DevicePresence, PresenceStore } from "../ports/presence-store.ts";
import type { DeviceSession } from "./device-session.ts";
import { PresenceWatch } from "./presence-watch.ts";
import type { WatchTarget } from "./watched-presence.ts";

export interface PresenceSettings {
  /** How long a connection may be gone before the person is. */
  readonly graceMs: number;
  /** Of all connections together: accounts that are watched. */
  readonly watchesMax: number;
}

export interface PresenceParts {
  readonly store: PresenceStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: PresenceSettings;
}

/** When somebody was last there is told, and kept, to the minute. */
const MINUTE_MS = 60_000;

/** What one connection has to do with presence; made with its first request for any. */
interface Taking {
  isActive: boolean;
  watch: PresenceWatch | undefined;
  /** One request after the other, or an old one might overtake a new one. */
  turn: Promise<void>;
  hasEnded: boolean;
}

/**
 * Who is there, told to whoever shows the right token (trust.md 10). A connection that takes no part costs
 * nothing here.
 */
export class PresenceDesk {
  readonly #parts: PresenceParts;
  readonly #taking = new WeakMap<DeviceSession, Taking>();
  #watches = 0;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  async set(session: DeviceSession, told: DevicePresence): Promise<void> {
    await this.#inTurn(session, async (taking) => {
      const { address, number } = session;
      await this.#parts.store.tell(address, number, told, this.#thisMinute());
      taking.isActive = told.isActive;
      if (told.isActive && taking.hasEnded) this.#leaveAfterGrace(session);
    });
  }

  /** Replaces what the connection watched before. */
  async watch(session: DeviceSession, targets: readonly WatchTarget[]): Promise<void> {
    await this.#inTurn(session, async (taking) => {
      const before = taking.watch?.size ?? 0;
      if (this.#watches - before + targets.length > this.#parts.settings.watchesMax)
        throw new ProtocolError(ErrorCode.BUSY, "too much is watched at once");
      const watch = taking.watch ?? new PresenceWatch(this.#parts, session);
      taking.watch = watch;
      try {
        await watch.replace(targets);
      } finally {
        this.#watches += watch.size - before;
        if (taking.hasEnded) this.#endWatch(taking);
      }
    });
  }

  async #inTurn(session: DeviceSession, run: (taking: Taking) => Promise<void>): Promise<void> {
    const taking = this.#takingOf(session);
    const done = taking.turn.then(() => run(taking));
    taking.turn = done.catch(() => undefined);
    await done;
  }

  #takingOf(session: DeviceSession): Taking {
    const known = this.#taking.get(session);
    if (known !== undefined) return known;
    const taking: Taking = {
      isActive: false,
      watch: undefined,
      turn: Promise.resolve(),
      hasEnded: false,
    };
    this.#taking.set(session, taking);
    session.atEnd(() => {
      taking.hasEnded = true;
      this.#endWatch(taking);
      if (taking.isActive) this.#leaveAfterGrace(session);
    });
    return taking;
  }

  #endWatch(taking: Taking): void {
    this.#watches -= taking.watch?.size ?? 0;
    taking.watch?.stop();
    taking.watch = undefined;
  }

  /** A connection that comes back in time was never away. */
  #leaveAfterGrace({ address, number }: DeviceSession): void {
    const { clock, log, settings, store } = this.#parts;
    const sinceMs = this.#thisMinute();
    clock.after(settings.graceMs, () => {
      store.leave(address, number, sinceMs).catch((cause: unknown) => {
        log.warn({ err: cause }, "presence-not-told");
      });
    });
  }

  #thisMinute(): number {
    const now = this.#parts.clock.now();
    return now - (now % MINUTE_MS);
  }
}
