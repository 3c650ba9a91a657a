import { ENVELOPE_LIFETIME_MS } from "@parley/protocol";
import type { Budget } from "./ports/rate-limiter.ts";

/** What a server may be told about itself; config/schema.ts has a line for each value. */
export interface ServerSettings {
  /** Where clients find this server, such as `https://chat.example`: a login is bound to one of them. */
  readonly origins: readonly string[];
  readonly signUp: "open" | "closed";
  readonly perMinute: Readonly<Record<Budget, number>>;
  readonly mailbox: {
    readonly envelopesMax: number;
    readonly bytesMax: number;
    readonly envelopesPerSourceMax: number;
    readonly awayMsMax: number;
  };
  readonly connectionsMax: number;
  /** Requests of one connection that are under way. */
  readonly requestsMax: number;
  readonly loginTimeoutMs: number;
  /** A client that does not take its data is dropped when this much waits for it. */
  readonly bufferedBytesMax: number;
  /** How often a connection does what a lost wake-up would have done; below the registry's five minutes. */
  readonly refreshMs: number;
  /** How long requests under way may take once the server stops. */
  readonly drainMs: number;
}

const MiB = 1024 * 1024;

export const SETTINGS_DEFAULT: ServerSettings = {
  origins: [],
  signUp: "open",
  // Generous: they stop a loop that has gone wild, and nobody who types.
  perMinute: {
    "sign-up": 6_000,
    login: 600,
    send: 60_000,
    live: 30,
    directory: 6_000,
    prekeys: 6_000,
    account: 600,
    link: 600,
  },
  // delivery.md 3.
  mailbox: {
    envelopesMax: 20_000,
    bytesMax: 64 * MiB,
    envelopesPerSourceMax: 5_000,
    awayMsMax: ENVELOPE_LIFETIME_MS,
  },
  connectionsMax: 20_000,
  requestsMax: 128,
  loginTimeoutMs: 10_000,
  // Four times what a stream has under way.
  bufferedBytesMax: 4 * MiB,
  refreshMs: 60_000,
  drainMs: 5_000,
};
