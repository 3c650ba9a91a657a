import { presenceToken, sha256 } from "@parley/crypto";
import { fromHex, type PresenceChanged, toHex } from "@parley/protocol";
import { MessengerError, type PresenceSettings } from "../api.ts";
import type { Parts } from "../parts.ts";
import type { Transaction } from "../store/transaction.ts";
import { presenceTokens } from "./held-keys.ts";
import { ownKeys, presenceSettings, putPresenceSettings } from "./own-presence.ts";
import { Telling } from "./telling.ts";

/** As the schema has it. */
const WATCHED_MAX = 64;

interface Shown {
  readonly handle: string | undefined;
  readonly isOnline: boolean;
}

interface Target {
  readonly accountId: string;
  readonly handle: string | undefined;
  readonly tokens: readonly Uint8Array[];
}

/** What this person lets others see, and what this device is told of others (trust.md 10). */
export class Presence {
  readonly #parts: Parts;
  readonly #own: Telling;
  readonly #watch: Telling;
  #isActive = false;
  #wanted: readonly string[] = [];
  /** Those of them whom the server was asked about. */
  #asked = new Map<string, Target>();
  readonly #shown = new Map<string, Shown>();
  /** Takes part: a device that never does costs the server nothing. */
  #hasTold = false;

  constructor(parts: Parts) {
    const { clock } = parts;
    const fatal = (cause: unknown) => parts.fatal(cause);
    this.#parts = parts;
    this.#own = new Telling({ clock, fatal, say: () => this.#tellOwn() });
    this.#watch = new Telling({ clock, fatal, say: () => this.#tellWatched() });
  }

  connected(): void {
    this.#own.connected();
    this.#watch.connected();
  }

  disconnected(): void {
    this.#own.disconnected();
    this.#watch.disconnected();
    for (const accountId of [...this.#shown.keys()]) this.#nothingIsKnown(accountId);
    this.#asked.clear();
  }

  async settings(): Promise<PresenceSettings> {
    const { visible, lastSeen } = await this.#parts.device.transactor.transact(presenceSettings);
    return { visible, lastSeen };
  }

  async set(settings: PresenceSettings): Promise<void> {
    await this.#parts.device.transactor.transact((tx) => putPresenceSettings(tx, settings));
    await this.#tell();
  }

  setActive(isActive: boolean): void {
    this.#isActive = isActive;
    void this.#own.tell();
  }

  async watch(accountIds: readonly string[]): Promise<void> {
    const wanted = [...new Set(accountIds)];
    if (wanted.length > WATCHED_MAX)
      throw new MessengerError("not-allowed", `at most ${WATCHED_MAX} can be watched at once`);
    this.#wanted = wanted;
    await this.#tell();
  }

  /** Other keys of that account are held now. */
  keysHeld(accountId: string): void {
    if (this.#wanted.includes(accountId)) void this.#watch.tell();
  }

  /** After somebody was shut out: the token is another, and he is watched no more. */
  shutOut(): void {
    void this.#tell();
  }

  changed({ accountId: id, online: isOnline, lastSeenMs }: PresenceChanged): void {
    const accountId = toHex(id);
    const target = this.#asked.get(accountId);
    if (target === undefined) return;
    const { handle } = target;
    this.#shown.set(accountId, { handle, isOnline });
    this.#emit(accountId, handle, {
      online: isOnline,
      lastSeenMs: lastSeenMs === 0n ? undefined : Number(lastSeenMs),
    });
  }

  async #tell(): Promise<void> {
    await Promise.all([this.#own.tell(), this.#watch.tell()]);
  }

  async #tellOwn(): Promise<void> {
    const { device, random } = this.#parts;
    const said = await device.transactor.transact(async (tx) => {
      const { visible, lastSeen, decided } = await presenceSettings(tx);
      const takesPart = decided || this.#isActive || this.#wanted.length > 0 || this.#hasTold;
      if (!takesPart) return undefined;
      if (visible === "nobody") return {};
      const { profileKey, contactKey } = await ownKeys(tx, random);
      const { key } = visible === "everyone" ? profileKey : contactKey;
      const tokenHash = sha256(presenceToken(key));
      return { tokenHash, shareLastSeen: lastSeen, active: this.#isActive };
    });
    if (said === undefined) return;
    this.#hasTold = true;
    await device.connection.request("setPresence", said);
  }

  async #tellWatched(): Promise<void> {
    const { device } = this.#parts;
    if (this.#wanted.length === 0 && this.#asked.size === 0) return;
    const targets = await device.transactor.transact((tx) => this.#targets(tx));
    this.#asked = new Map(targets.map((target) => [target.accountId, target]));
    for (const accountId of [...this.#shown.keys()])
      if (!this.#asked.has(accountId)) this.#nothingIsKnown(accountId);
    await device.connection.request("watchPresence", {
      targets: targets.map(({ accountId, tokens: [token, otherToken] }) => ({
        accountId: fromHex(accountId),
        ...(token && { token }),
        ...(otherToken && { otherToken }),
      })),
    });
  }

  /** Whoever hides does not see, and shows no token. Of a blocked contact none is held. */
  async #targets(tx: Transaction): Promise<Target[]> {
    if ((await presenceSettings(tx)).visible === "nobody") return [];
    const targets: Target[] = [];
    for (const accountId of this.#wanted) {
      const tokens = await presenceTokens(tx, accountId);
      const handle = await this.#parts.device.directory.handleOf(tx, accountId);
      if (tokens.length > 0) targets.push({ accountId, handle, tokens });
    }
    return targets;
  }

  #nothingIsKnown(accountId: string): void {
    const shown = this.#shown.get(accountId);
    this.#shown.delete(accountId);
    if (shown?.isOnline !== true) return;
    this.#emit(accountId, shown.handle, { online: false, lastSeenMs: undefined });
  }

  #emit(
    accountId: string,
    handle: string | undefined,
    seen: { readonly online: boolean; readonly lastSeenMs: number | undefined },
  ): void {
    this.#parts.emit({ type: "presence", accountId, handle, ...seen });
  }
}
