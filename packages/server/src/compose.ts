import { GroupCommit } from "./adapters/embedded/group-commit.ts";
import { MemoryPresenceStore } from "./adapters/embedded/memory-presence-store.ts";
import { MemoryRateLimiter } from "./adapters/embedded/memory-rate-limiter.ts";
import { MemorySessionRegistry } from "./adapters/embedded/memory-session-registry.ts";
import { MemoryWakeupBus } from "./adapters/embedded/memory-wakeup-bus.ts";
import {
  DataFolderError,
  DataFolderInUseError,
  type OpenedStore,
  openStore,
} from "./adapters/embedded/open-store.ts";
import { receiptKeyOf } from "./adapters/embedded/receipt-key.ts";
import { SqliteAccountStore } from "./adapters/embedded/sqlite-account-store.ts";
import { SqliteEpochStore } from "./adapters/embedded/sqlite-epoch-store.ts";
import { SqliteMailboxStore } from "./adapters/embedded/sqlite-mailbox-store.ts";
import { SqlitePrekeyStore } from "./adapters/embedded/sqlite-prekey-store.ts";
import { systemClock } from "./adapters/embedded/system-clock.ts";
import { systemRandom } from "./adapters/embedded/system-random.ts";
import { pinoLog } from "./adapters/log/pino-log.ts";
import { LogPushSender } from "./adapters/push/log-push-sender.ts";
import type { Context } from "./context.ts";
import { Limits } from "./core/limits.ts";
import { LinkSteps } from "./core/link-steps.ts";
import { PresenceDesk } from "./core/presence-desk.ts";
import { logIds } from "./lib/log-id.ts";
import { type Mortal, mortal } from "./lib/mortal.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { type Metrics, NO_METRICS } from "./ports/metrics.ts";
import type { Ports } from "./ports/ports.ts";
import type { Random } from "./ports/random.ts";
import { NO_TRACER, type Tracer } from "./ports/tracer.ts";
import type { Transport } from "./ports/transport.ts";
import { type Accepted, createServer, REFUSED, type Server } from "./server.ts";
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
  /** Runs behind what has arrived already. By default a promise, so that whoever owns the clock owns all. */
  readonly defer?: (run: () => void) => void;
  /** The disk failed: nothing may be answered any more. By default the server just falls silent. */
  readonly onFatal?: (cause: unknown) => void;
  /** Puts something round the ports: a simulation's faults. */
  readonly wrapPorts?: (ports: Ports) => Ports;
}

export interface EmbeddedServer extends Server {
  /** Drains, commits what waits, and closes the store. */
  stop(): Promise<void>;
  /** Ends as `kill -9` would: nothing is written, said or answered any more. The folder is free again. */
  kill(): void;
  /** The names under which clients may log in, once they are known. */
  setOrigins(origins: readonly string[]): void;
}

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
    store.db.close();
    // Such as a disk that is full: without its new epoch a server may not accept anything.
    throw new DataFolderError(`${store.path}: ${(cause as Error).message}`, { cause });
  }
}

function embeddedOn(store: OpenedStore, options: EmbeddedOptions): EmbeddedServer {
  const settings = { ...SETTINGS_DEFAULT, ...options.config };
  const world = mortal(options.clock, options.log ?? SILENT);
  const { clock, log } = world;
  const commit = new GroupCommit(store, {
    clock,
    log,
    defer: options.defer ?? ((run) => void Promise.resolve().then(run)),
    onFatal: (cause) => {
      world.end();
      options.onFatal?.(cause);
    },
  });
  const logId = logIds(options.random(SALT_BYTES));
  const { random, metrics = NO_METRICS, tracer = NO_TRACER } = options;
  const parts = { clock, log, logId, settings, random, metrics, tracer };
  const made = embeddedPorts(store, commit, parts);
  const ports = options.wrapPorts?.(made) ?? made;
  const { rateLimiter, presenceStore } = ports;
  const server = createServer({
    ...parts,
    ...ports,
    receiptKey: receiptKeyOf(store.db, random),
    addressSalt: random(SALT_BYTES),
    linkSteps: new LinkSteps(clock),
    presence: new PresenceDesk({ store: presenceStore, clock, log, settings: settings.presence }),
    limits: new Limits({ rateLimiter, clock, log, metrics, isDryRun: settings.limits.dryRun }),
  });
  return {
    ...server,
    accept: (transport) => accept(server, world, transport),
    setOrigins: (origins) => {
      settings.origins = origins;
    },
    stop: async () => {
      await server.drain();
      commit.flush();
      end({ store, commit, world });
    },
    kill: () => end({ store, commit, world }),
  };
}

type Parts = Pick<
  Context,
  "clock" | "log" | "logId" | "settings" | "random" | "metrics" | "tracer"
>;

function embeddedPorts(store: OpenedStore, commit: GroupCommit, parts: Parts): Ports {
  const { db } = store;
  const { clock, log, logId, settings, random } = parts;
  const epochs = new SqliteEpochStore(db, {
    recovered: commit.mark,
    nowMs: clock.now(),
    random,
  });
  const prekeys = new SqlitePrekeyStore(db, commit, clock);
  const mailboxes = new SqliteMailboxStore(db, commit, { clock, log, limits: settings.mailbox });
  mailboxes.startSweeping();
  return {
    accounts: new SqliteAccountStore(db, commit, [prekeys, mailboxes]),
    prekeys,
    mailboxes,
    epochs,
    registry: new MemorySessionRegistry(),
    bus: new MemoryWakeupBus(),
    push: new LogPushSender(log, logId),
    presenceStore: new MemoryPresenceStore(settings.presence.accountsMax),
    rateLimiter: new MemoryRateLimiter(clock, settings.limits),
  };
}

function accept(server: Server, world: Mortal, transport: Transport): Accepted {
  if (world.isDead()) return REFUSED;
  const accepted = server.accept(world.transport(transport));
  return {
    receive: (frame) => {
      if (!world.isDead()) accepted.receive(frame);
    },
    frameBytesMax: () => accepted.frameBytesMax(),
    closed: () => {
      if (!world.isDead()) accepted.closed();
    },
  };
}

interface Running {
  readonly store: OpenedStore;
  readonly commit: GroupCommit;
  readonly world: Mortal;
}

function end({ store, commit, world }: Running): void {
  if (world.isDead() && !store.db.isOpen) return;
  world.end();
  commit.stop();
  store.db.close();
}
