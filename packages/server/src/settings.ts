import { DEVICES_PER_ACCOUNT_MAX, ENVELOPE_LIFETIME_MS } from "@parley/protocol";
import type { RateLimit } from "./ports/rate-limiter.ts";

/** What a server may be told about itself; config/schema.ts has a line for each value. */
export interface ServerSettings {
  /** Where clients find this server, such as `https://chat.example`: a login is bound to one of them. */
  readonly origins: readonly string[];
  readonly signUp: "open" | "invitation" | "closed";
  readonly limits: LimitSettings;
  readonly mailbox: {
    readonly envelopesMax: number;
    readonly bytesMax: number;
    readonly envelopesPerSourceMax: number;
    readonly awayMsMax: number;
  };
  readonly store: {
    /** Who waits for the disk (adapters/embedded/mail/system-log-disk.ts). */
    readonly writer: "auto" | "main" | "thread";
    /** Size of one file of the mail log; there are two to four. */
    readonly logFileBytes: number;
  };
  readonly presence: {
    /** How long a connection may be gone before the person is. */
    readonly graceMs: number;
    /** Accounts that are watched, of all connections together. */
    readonly watchesMax: number;
    /** Accounts of which is remembered who may see them while nobody is there and nobody watches. */
    readonly accountsMax: number;
  };
  readonly connectionsMax: number;
  readonly connectionsPerAccountMax: number;
  /** Of an address; of IPv6, of a /64 network. */
  readonly connectionsPerAddressMax: number;
  /** Connections that have not logged in. The one that waits longest gives way to a new one. */
  readonly visitorsMax: number;
  /** Addresses and networks whose word about the client's address is taken: X-Forwarded-For. */
  readonly trustedProxies: readonly string[];
  /** Requests of one connection that are under way. */
  readonly requestsMax: number;
  readonly loginTimeoutMs: number;
  /** A client that does not take its data is dropped when this much waits for it. */
  readonly bufferedBytesMax: number;
  /** All of them together. Above it the one for whom most waits is dropped. */
  readonly bufferedBytesTotalMax: number;
  /** A client that takes nothing of what waits for it for this long is dropped. */
  readonly readerStallMs: number;
  /** Messages that have not come whole, of all clients together. Above it the longest is dropped. */
  readonly receivedBytesTotalMax: number;
  /** For a message to come whole. */
  readonly messageMs: number;
  /** How often a connection does what a lost wake-up would have done; below the registry's five minutes. */
  readonly refreshMs: number;
  /** How long requests under way may take once the server stops. */
  readonly drainMs: number;
}

/** Each number may be used at once, and comes back evenly over its time (ports/rate-limiter.ts). */
export interface LimitSettings extends Readonly<Record<RateLimit, number>> {
  /** Counts and names what is over a limit, and refuses nothing but what protects the server's memory. */
  readonly dryRun: boolean;
}

const MiB = 1024 * 1024;

export const SETTINGS_DEFAULT: ServerSettings = {
  origins: [],
  signUp: "open",
  limits: {
    dryRun: false,
    // Of an account. delivery.md 3: 100 entries, by the client's rule, and what they bring with them.
    durableSendsPerMinute: 400,
    // Of a pair of accounts. delivery.md 3: one in 3 s while somebody types, and half as many to spare.
    liveFramesPerMinute: 30,
    // Of an account. Who adds people by hand types a few; all names of four letters would take ten days.
    handleLookUpsPerMinute: 30,
    // Of the account that asks. A person who begins anew with some hundred contacts waits a few minutes.
    bundleFetchesPerMinute: 120,
    // Of the account that is asked for: as many one-time prekeys as its device leaves here at a time. Above
    // it the last-resort prekey is given, so that nobody is refused and nobody takes all the others.
    bundlesOfAccountPerHour: 100,
    // Of an account. News of lists comes at once for all contacts that changed while the device was away.
    chainFetchesPerMinute: 300,
    profileFetchesPerMinute: 300,
    // Of a device, so that a thief's cannot use up what the owner's needs to remove it. Each wakes all devices.
    accountEntriesPerHour: 30,
    // Of an account. Each is 64 KiB to write.
    profileChangesPerHour: 60,
    // Of a device. Each is up to 170 KB and 200 signatures; one an hour is already a very popular account.
    prekeyUploadsPerHour: 60,
    // Of a device. The client asks with each removal that it learns of, and once in a silent minute.
    drainsPerMinute: 60,
    // Of a device. Each follows a mailbox that was full, and is a write.
    skipClearsPerHour: 60,
    // Of an address; who returns with a receipt does not count. A class that begins together, behind one.
    signUpsPerAddressPerHour: 30,
    // Of an account. A script that calls the command line for each message makes some five a second.
    loginsPerMinute: 300,
    // Of an address. An honest client is refused once, and ends.
    failedLoginsPerAddressPerMinute: 30,
    // Of an address. Linking takes about eight steps, and a step that has not come is asked for again.
    linkStepsPerAddressPerMinute: 60,
    // Of an address. Everybody of a large house, behind one address, after the server was away.
    connectionsPerAddressPerMinute: 2_000,
    // Of an account. One at each change of the window and of what is shown in it, and twice as many to spare.
    presenceRequestsPerMinute: 120,
  },
  // delivery.md 3.
  mailbox: {
    envelopesMax: 20_000,
    bytesMax: 64 * MiB,
    envelopesPerSourceMax: 5_000,
    awayMsMax: ENVELOPE_LIFETIME_MS,
  },
  store: {
    writer: "auto",
    // About 8,000 messages: a fifth of a second of a very busy server, and as much memory for those that wait.
    logFileBytes: 4 * MiB,
  },
  presence: {
    // A telephone that changes its network is back within it.
    graceMs: 10_000,
    // Ten for each connection, of about 500 bytes.
    watchesMax: 200_000,
    // About 300 bytes each.
    accountsMax: 100_000,
  },
  connectionsMax: 20_000,
  // Every device that an account may have; a device has one connection, the newest.
  connectionsPerAccountMax: DEVICES_PER_ACCOUNT_MAX,
  // A company or a school behind one address: a thousand people with two devices each.
  connectionsPerAddressMax: 2_000,
  // A login takes milliseconds, and two round trips of the network: this many at once log in within a second.
  visitorsMax: 1_000,
  // A proxy on the same machine. Whoever is there may do worse than to give a wrong address.
  trustedProxies: ["127.0.0.1", "::1"],
  requestsMax: 128,
  loginTimeoutMs: 10_000,
  // Four times what a stream has under way.
  bufferedBytesMax: 4 * MiB,
  // Sixty-four slow readers: nothing more is read for one that has 64 KiB before it.
  bufferedBytesTotalMax: 4 * MiB,
  // Half the time in which a connection that is silently gone is found by its pings.
  readerStallMs: 30_000,
  // Three of the longest at once, or fifty that carry a long text.
  receivedBytesTotalMax: 4 * MiB,
  // The longest, at 90 kbit/s.
  messageMs: 120_000,
  refreshMs: 60_000,
  drainMs: 5_000,
};
