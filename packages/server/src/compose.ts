import { GroupCommit } from "./adapters/embedded/group-commit.ts";
import type { LogDisk } from "./adapters/embedded/mail/log-disk.ts";
import { type OpenedMail, openMail } from "./adapters/embedded/mail/open-mail.ts";
import { systemLogDisk } from "./adapters/embedded/mail/system-log-disk.ts";
import { MemoryPresenceStore } from "./adapters/embedded/memory-presence-store.ts";
import { MemoryRateLimiter } from "./adapters/embedded/memory-rate-limiter.ts";
import { MemorySessionRegistry } from "./adapters/embedded/memory-session-registry.ts";
import { MemoryWakeupBus } from "./adapters/embedded/memory-wakeup-bus.ts";
import {
  closeStore,
  DataFolderError,
  DataFolderInUseError,
  type OpenedStore,
  openStore,
} from "./adapters/embedded/open-store.ts";
import { receiptKeyOf } from "./adapters/embedded/receipt-key.ts";
import { SqliteAccountStore } from "./adapters/embedded/sqlite-account-store.ts";
import { SqliteEpochStore } from "./adapters/embedded/sqlite-epoch-store.ts";
import { SqliteInvitationStore } from "./adapters/embedded/sqlite-invitation-store.ts";
import { SqlitePrekeyStore } from "./adapters/embedded/sqlite-prekey-store.ts";
import { systemClock } from "./adapters/embedded/system-clock.ts";
import { systemRandom } from "./adapters/embedded/system-random.ts";
import { EventLoopCheck } from "./adapters/health/event-loop-check.ts";
import { folderBytes } from "./adapters/health/folder-bytes.ts";
import { folderCheck } from "./adapters/health/folder-check.ts";
import { pinoLog } from "./adapters/log/pino-log.ts";
import { LogPushSender } from "./adapters/push/log-push-sender.ts";
import type { Context } from "./context.ts";
import { AddressKeys } from "./core/address-keys.ts";
import { calmLog } from "./core/calm-log.ts";
import { countedPush } from "./core/counted-push.ts";
import { Invitations } from "./core/invitations.ts";
import { Limits } from "./core/limits.ts";
import { LinkSteps } from "./core/link-steps.ts";
import { ACK_EXPECTED_MS } from "./core/mailbox-stream.ts";
import { PresenceDesk } from "./core/presence-desk.ts";
import { Readiness } from "./core/readiness.ts";
import { SharedTimer } from "./core/shared-timer.ts";
import { logIds } from "./lib/log-id.ts";
import { type Mortal, mortal } from "./lib/mortal.ts";
import type { Clock } from "./ports/clock.ts";
import type { Finding, HealthCheck } from "./ports/health-check.ts";
import type { Log } from "./ports/log.ts";
import { type Metrics, NO_METRICS } from "./ports/metrics.ts";
import type { Ports } from "./ports/ports.ts";
import type { Random } from "./ports/random.ts";
import { NO_TRACER, type Tracer } from "./ports/tracer.ts";
import { createServer, type Server } from "./server.ts";
import { SETTINGS_DEFAULT, type ServerSettings } from "./settings.ts";

export interface EmbeddedOptions {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly config?: Partial<ServerSettings>;
  /** Silent without one. */
  readonly log?: Log;
  /** Nobody counts, or traces, without them. */
  readonly metrics?: Metrics;
  readonly tracer?: Tracer;
  /** What else it takes to be ready. */
  readonly checks?: readonly HealthCheck[];
  /** Runs behind what has arrived already. By default a promise, so that whoever owns the clock owns all. */
  readonly defer?: (run: () => void) => void;
  /** The disk failed: nothing may be answered any more. By default the server just falls silent. */
  readonly onFatal?: (cause: unknown) => void;
  /** Where the mail log lies; a simulation's tears, fills and fails. */
  readonly logDisk?: LogDisk;
  /** Puts something round the ports: a simulation's faults. */
  readonly wrapPorts?: (ports: Ports) => Ports;
}

export interface EmbeddedServer extends Server {
  readonly readiness: Readiness;
  /** For its operator. */
  readonly invitations: Invitations;
  readonly settings: ServerSettings;
  /** Drains, commits what waits, and closes the store. */
  stop(): Promise<void>;
  /** Ends as `kill -9` would: nothing is written, said or answered any more. The folder is free again. */
  kill(): void;
  /** The names under which clients may log in, once they are known. */
  setOrigins(origins: readonly string[]): void;
}

export { inspectStore, type StoreSeen } from "./adapters/embedded/inspect-store.ts";
export { DataFolderError, DataFolderInUseError, pinoLog };

export interface ProcessParts {
  readonly dataFolder: string;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly tracer?: Tracer;
  readonly onFatal: (cause: unknown) => void;
}

/** The server of a process. Everything is embedded for now; a cluster will be the other case. */
export function compose(config: Partial<ServerSettings>, parts: ProcessParts): EmbeddedServer {
  return openEmbedded({
    ...parts,
    config,
    checks: [folderCheck(parts.dataFolder), new EventLoopCheck()],
    clock: systemClock,
    random: systemRandom,
    // Behind everything that the sockets had to say in this turn of the event loop.
    defer: (run) => void setImmediate(run),
  });
}

const SALT_BYTES = 16;
const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A whole server over one folder, without any network: whoever calls it brings the transports. */
export function openEmbedded(options: EmbeddedOptions): EmbeddedServer {
  const store = openStore(options.dataFolder);
  try {
    return embeddedOn(store, options);
  } catch (cause) {
    closeStore(store);
    // Such as a disk that is full: without its new epoch a server may not accept anything.
    throw new DataFolderError(`${store.path}: ${(cause as Error).message}`, { cause });
  }
}

function embeddedOn(store: OpenedStore, options: EmbeddedOptions): EmbeddedServer {
  const settings = { ...SETTINGS_DEFAULT, ...options.config };
  const world = mortal(options.clock, options.log ?? SILENT);
  const { clock } = world;
  const log = calmLog(world.log, clock);
  const defer = options.defer ?? ((run: () => void) => void Promise.resolve().then(run));
  const onFatal = (cause: unknown) => {
    world.end();
    options.onFatal?.(cause);
  };
  const { random, metrics = NO_METRICS, tracer = NO_TRACER } = options;
  const commit = new GroupCommit(store, { clock, log, metrics, defer, onFatal });
  const logId = logIds(random(SALT_BYTES));
  const parts = { clock, log, logId, settings, random, metrics, tracer };
  const mail = openMail({
    ...{ store, storeCommit: commit, defer, onFatal, clock, log, metrics },
    disk: options.logDisk ?? systemLogDisk(settings.store.writer),
    fileBytes: settings.store.logFileBytes,
    limits: settings.mailbox,
  });
  const made = embeddedPorts({ store, commit, mail }, parts);
  const ports = options.wrapPorts?.(made) ?? made;
  const { rateLimiter, presenceStore } = ports;
  const server = createServer({
    ...parts,
    ...ports,
    receiptKey: receiptKeyOf(store.db, random),
    addressKeys: new AddressKeys(clock, random),
    linkSteps: new LinkSteps(clock),
    refreshes: new SharedTimer(clock, settings.refreshMs),
    acks: new SharedTimer(clock, ACK_EXPECTED_MS),
    presence: new PresenceDesk({ store: presenceStore, clock, log, settings: settings.presence }),
    limits: new Limits({ rateLimiter, clock, log, metrics, isDryRun: settings.limits.dryRun }),
  });
  world.atEnd(server.silence);
  metrics.gauge("storeBytes", () => folderBytes(options.dataFolder));
  metrics.gauge("accounts", () => ports.accounts.count());
  metrics.gauge("epochs", async () => (await ports.epochs.since(NO_EPOCH)).length);
  log.info({}, "epoch-opened");
  const readiness = new Readiness({ clock, log }, [
    { name: "draining", look: () => lookAtDraining(server) },
    ...(options.checks ?? []),
  ]);
  return {
    ...server,
    readiness,
    settings,
    invitations: new Invitations({
      store: ports.invitations,
      accounts: ports.accounts,
      clock,
      random,
    }),
    setOrigins: (origins) => {
      settings.origins = origins;
    },
    stop: async () => {
      const drained = server.drain();
      readiness.forget();
      await drained;
      commit.flush();
      await mail.flush();
      end({ store, commit, mail, world });
    },
    kill: () => end({ store, commit, mail, world }),
  };
}

type Parts = Pick<
  Context,
  "clock" | "log" | "logId" | "settings" | "random" | "metrics" | "tracer"
>;

interface Opened {
  readonly store: OpenedStore;
  readonly commit: GroupCommit;
  readonly mail: OpenedMail;
}

function embeddedPorts({ store, commit, mail }: Opened, parts: Parts): Ports {
  const { db } = store;
  const { clock, log, logId, settings, random, metrics } = parts;
  const epochs = new SqliteEpochStore(db, {
    recovered: mail.recovered,
    nowMs: clock.now(),
    random,
  });
  const prekeys = new SqlitePrekeyStore(db, commit, clock);
  const invitations = new SqliteInvitationStore(db, commit, clock);
  const { mailboxes } = mail;
  return {
    accounts: new SqliteAccountStore(db, commit, {
      deviceRows: [prekeys, mailboxes],
      invitations,
    }),
    invitations,
    prekeys,
    mailboxes,
    epochs,
    registry: new MemorySessionRegistry(),
    bus: new MemoryWakeupBus(),
    push: countedPush(new LogPushSender(log, logId), metrics),
    presenceStore: new MemoryPresenceStore(settings.presence.accountsMax),
    rateLimiter: new MemoryRateLimiter(clock, settings.limits),
  };
}

/** No epoch has it, so that all are named. */
const NO_EPOCH = new Uint8Array(0);

function lookAtDraining(server: Server): Finding {
  const isDraining = server.isDraining();
  return { isOk: !isDraining, detail: isDraining ? "the server is stopping" : "no" };
}

interface Running extends Opened {
  readonly world: Mortal;
}

function end({ store, commit, mail, world }: Running): void {
  if (world.isDead() && !store.db.isOpen) return;
  world.end();
  commit.stop();
  mail.close();
  closeStore(store);
}
