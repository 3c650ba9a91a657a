import { DEVICES_PER_ACCOUNT_MAX } from "@parley/protocol";
import { LOG_LEVELS } from "./config.ts";
import { decimal, integer, listOf, oneOf, place, text, truth } from "./kind.ts";
import { limitSettings } from "./limit-settings.ts";
import { isNetwork } from "./network.ts";
import { isOrigin } from "./origin.ts";
import { type Setting, setting } from "./setting.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/**
 * Everything that a server can be told, once: the file, the environment, the flags, their checks and the
 * documentation are all read off this table. Its defaults, and the reasons for them, stand in `settings.ts`
 * and `config.ts`. `npm run generate` writes docs/CONFIGURATION.md anew.
 */
export const SCHEMA: readonly Setting[] = [
  setting("server", "data", place(), {
    at: "dataFolder",
    flag: "data",
    value: "DIR",
    shortEnv: "PARLEY_DATA",
    doc: "The folder where everything is kept. Only its owner may enter it, and one server uses it at a time.",
  }),
  setting("server", "port", integer(0, 65_535), {
    at: "port",
    flag: "port",
    value: "N",
    shortEnv: "PARLEY_PORT",
    doc: "Where clients connect. 0 takes any free port, which is printed.",
  }),
  setting("server", "host", hostText(), {
    at: "host",
    flag: "host",
    value: "ADDRESS",
    shortEnv: "PARLEY_HOST",
    doc: "Where to listen. Anything but loopback needs `origins`. Behind a proxy on the same machine, leave it.",
  }),
  setting("server", "origins", listOf("origins such as https://chat.example", originText()), {
    at: "settings.origins",
    flag: "origin",
    value: "URL",
    shortEnv: "PARLEY_ORIGINS",
    defaultSays: "the names of loopback, with the port",
    doc: "Under which clients find this server. A login is bound to one of them, so a server in between cannot pass it on.",
  }),
  setting("server", "connections_max", integer(1, 1_000_000), {
    at: "settings.connectionsMax",
    doc: "Connections at once. Each takes a file descriptor: the system's limit on open files must be above it.",
  }),
  setting("server", "connections_per_account_max", integer(1, DEVICES_PER_ACCOUNT_MAX), {
    at: "settings.connectionsPerAccountMax",
    doc: "Devices of one account that are connected at once. One more is answered as busy when it logs in.",
  }),
  setting("server", "connections_per_address_max", integer(1, 1_000_000), {
    at: "settings.connectionsPerAddressMax",
    doc: "Connections from one address (of IPv6, from one /64 network) at once. One more is answered with status 429.",
  }),
  setting("server", "visitors_max", integer(1, 1_000_000), {
    at: "settings.visitorsMax",
    doc: "Connections that have not logged in. The one that waits longest gives way to a new one.",
  }),
  setting(
    "server",
    "trusted_proxies",
    listOf("addresses or networks such as 10.0.0.0/8", networkText()),
    {
      at: "settings.trustedProxies",
      doc: "Proxies in front of this server: of what they say in `X-Forwarded-For`, the last address that is not theirs counts as the client's. From everywhere else the header means nothing.",
    },
  ),
  setting("server", "requests_max", integer(1, 10_000), {
    at: "settings.requestsMax",
    doc: "Requests of one connection that are under way; the next one is answered as busy. Clients keep 128 sends under way.",
  }),
  setting("server", "login_timeout_ms", integer(100, 600_000), {
    at: "settings.loginTimeoutMs",
    doc: "A connection that has not logged in by then is closed.",
  }),
  setting("server", "buffered_bytes_max", integer(64 * 1024, GiB), {
    at: "settings.bufferedBytesMax",
    doc: "A client that takes no data is dropped when this much waits for it. It loses nothing: what it has not acknowledged is kept.",
  }),
  setting("server", "buffered_bytes_total_max", integer(1024 * 1024, GiB), {
    at: "settings.bufferedBytesTotalMax",
    doc: "The same, of all clients together: above it, the one for whom most waits is dropped.",
  }),
  setting("server", "reader_stall_ms", integer(1_000, 600_000), {
    at: "settings.readerStallMs",
    doc: "A client that takes nothing of what waits for it for this long is dropped.",
  }),
  setting("server", "received_bytes_total_max", integer(2 * 1024 * 1024, GiB), {
    at: "settings.receivedBytesTotalMax",
    doc: "Messages that have not come whole, of all clients together: above it, the longest is dropped.",
  }),
  setting("server", "message_ms", integer(1_000, 600_000), {
    at: "settings.messageMs",
    doc: "How long one message may take to come whole.",
  }),
  // Below the five minutes after which the registry of sessions forgets one.
  setting("server", "refresh_ms", integer(1_000, 240_000), {
    at: "settings.refreshMs",
    doc: "How often a connection looks for what a lost wake-up would have brought.",
  }),
  setting("server", "drain_ms", integer(0, 600_000), {
    at: "settings.drainMs",
    doc: "How long requests under way may take once the server is asked to stop.",
  }),
  setting("sign_up", "mode", oneOf(["open", "invitation", "closed"]), {
    at: "settings.signUp",
    flag: "sign-up",
    value: "WHO",
    shortEnv: "PARLEY_SIGN_UP",
    defaultSays: "open on loopback, invitation elsewhere",
    doc: "Who may make an account: everybody (`open`), whoever has a code from `parley invitations create` (`invitation`), or nobody (`closed`). Who had an account here may always return to it.",
  }),
  ...limitSettings(),
  setting("mailbox", "envelopes_max", integer(1, 10_000_000), {
    at: "settings.mailbox.envelopesMax",
    doc: "Envelopes that wait for one device. Above it, senders leave the device out for a day, and it asks them for what it missed.",
  }),
  setting("mailbox", "bytes_max", integer(1024, 64 * GiB), {
    at: "settings.mailbox.bytesMax",
    doc: "Bytes that wait for one device.",
  }),
  setting("mailbox", "envelopes_per_source_max", integer(1, 10_000_000), {
    at: "settings.mailbox.envelopesPerSourceMax",
    doc: "Envelopes from one account that wait for one device, so that nobody fills it alone.",
  }),
  setting("mailbox", "away_ms_max", integer(60_000, 3_650 * DAY_MS), {
    at: "settings.mailbox.awayMsMax",
    doc: "A device that was away for longer gets nothing new, and what waits for it is deleted.",
  }),
  setting("store", "writer", oneOf(["auto", "main", "thread"]), {
    at: "settings.store.writer",
    doc: "Who waits for the disk: the event loop (`main`), which costs half as much and holds up everybody while the disk is slow; a thread (`thread`); or the loop while the disk answers fast, and a thread when it does not (`auto`).",
  }),
  setting("store", "log_file_bytes", integer(2 * MiB, GiB), {
    at: "settings.store.logFileBytes",
    doc: "Size of one file of the mail log; there are two to four. What is in the log waits in memory too.",
  }),
  setting("presence", "grace_ms", integer(0, 600_000), {
    at: "settings.presence.graceMs",
    doc: "How long a connection may be gone before those who watch are told that the person is.",
  }),
  setting("presence", "watches_max", integer(0, 100_000_000), {
    at: "settings.presence.watchesMax",
    doc: "Accounts that are watched, of all connections together; each connection watches at most 64. About 500 bytes each.",
  }),
  setting("presence", "accounts_max", integer(0, 100_000_000), {
    at: "settings.presence.accountsMax",
    doc: "Accounts of which is remembered, in memory, when they were last there and who may see it. About 300 bytes each.",
  }),
  setting("metrics", "enabled", truth(), {
    at: "metrics.enabled",
    doc: "Opens the port for `/metrics` (Prometheus), `/livez`, `/readyz` and `/startupz`. Off, nothing is counted.",
  }),
  setting("metrics", "host", hostText(), {
    at: "metrics.host",
    doc: "Where that port listens. It has no passwords: keep it from everybody but your monitoring.",
  }),
  setting("metrics", "port", integer(0, 65_535), {
    at: "metrics.port",
    doc: "The number of that port. 0 takes any free one, which is in the log.",
  }),
  setting(
    "tracing",
    "endpoint",
    text("the URL of an OTLP collector, such as http://127.0.0.1:4318/v1/traces", isEndpoint),
    {
      at: "tracing.endpoint",
      doc: "Where traces go, as OTLP over HTTP. Empty: nothing is traced, and nothing of it is loaded.",
    },
  ),
  setting("tracing", "authorization", text("what stands in a header", isHeaderValue), {
    at: "tracing.authorization",
    isSecret: true,
    doc: "The `Authorization` header for the collector, such as `Bearer …`. Empty: none is sent.",
  }),
  setting("tracing", "ratio", decimal(0, 1), {
    at: "tracing.ratio",
    doc: "The share of messages that is followed. Traces say when, never who, and where a send failed the name of the error.",
  }),
  setting("log", "level", oneOf(LOG_LEVELS), {
    at: "logLevel",
    flag: "log",
    value: "LEVEL",
    shortEnv: "PARLEY_LOG",
    doc: "How much is told. `info` is a line for each start, stop and trouble, not one for each request.",
  }),
];

function hostText() {
  return text("an address of this machine or a name for one", (host) => /^[^\s/]+$/.test(host));
}

function isEndpoint(url: string): boolean {
  return url === "" || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol));
}

function networkText() {
  return text("an address or a network such as 10.0.0.0/8", isNetwork);
}

function originText() {
  return text("an origin such as https://chat.example", isOrigin);
}

/** Visible ASCII and spaces between (RFC 9110 section 5.5). */
function isHeaderValue(value: string): boolean {
  return /^([!-~]([ -~]*[!-~])?)?$/.test(value);
}
