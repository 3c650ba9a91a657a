import type { AddressInfo } from "node:net";
import { openAdminSocket } from "./admin-socket.ts";
import {
  compose,
  DataFolderError,
  DataFolderInUseError,
  type EmbeddedServer,
  pinoLog,
} from "./compose.ts";
import { composeWatch } from "./compose-watch.ts";
import { type Config, loopbackOrigins } from "./config/config.ts";
import {
  EXIT_BUG,
  EXIT_CONFIG,
  EXIT_IO,
  EXIT_TRY_AGAIN,
  EXIT_UNAVAILABLE,
  ExitError,
} from "./exit-status.ts";
import { createAdminHttp } from "./gateway/admin-http.ts";
import { createHttp } from "./gateway/http.ts";
import { attachWebSocket } from "./gateway/websocket.ts";
import { greeting } from "./greeting.ts";
import { openInternalPort } from "./internal-port.ts";
import { OPEN_FILES_SLACK, openFilesMax } from "./open-files.ts";
import type { Log } from "./ports/log.ts";

/** The process of a server: compose, start, and stop with the signal. Throws an `ExitError` where it cannot start. */
export async function serve(config: Config): Promise<void> {
  try {
    await start(config);
  } catch (cause) {
    throw asExit(cause);
  }
}

function asExit(cause: unknown): unknown {
  if (cause instanceof DataFolderInUseError)
    return new ExitError(EXIT_TRY_AGAIN, cause.message, { cause });
  if (cause instanceof DataFolderError) return new ExitError(EXIT_CONFIG, cause.message, { cause });
  const { syscall, message } = cause as NodeJS.ErrnoException;
  if (syscall === "listen")
    return new ExitError(EXIT_UNAVAILABLE, `cannot listen: ${message}`, { cause });
  return cause;
}

async function start(config: Config): Promise<void> {
  const log = pinoLog(config.logLevel);
  process.on("uncaughtException", (cause) => {
    log.error({ err: cause }, "bug");
    process.exit(EXIT_BUG);
  });
  const watch = await composeWatch(config);
  const { metrics, tracer, exposition } = watch;
  const server = compose(config.settings, {
    ...{ dataFolder: config.dataFolder, log, metrics, tracer },
    // At once, in the same turn: nothing that was not written may be answered.
    onFatal: (cause) => {
      log.error({ err: cause }, "disk-failed");
      process.exit(EXIT_IO);
    },
  });
  const { readiness } = server;
  const internal = await openInternalPort(config.metrics, { log, readiness, exposition });
  const http = createHttp(readiness);
  const webSocket = attachWebSocket(http.server, server);
  await http.listen({ host: config.host, port: config.port });
  const { port } = http.server.address() as AddressInfo;
  const { origins } = config.settings;
  server.setOrigins(origins.length > 0 ? origins : loopbackOrigins(port));
  const admin = await adminSocket(server, config, log);
  stopOnSignal(async () => {
    log.info({ connections: server.connectionCount() }, "stopping");
    await Promise.all([server.stop(), admin?.close(), webSocket.close(), http.close()]);
    await Promise.all([internal.close(), watch.close()]);
    log.info({}, "stopped");
  });
  warnOfFewFiles(config, log);
  internal.started();
  log.info({ port }, "listening");
  await greet(server, config, port);
}

/** Before it is too late: the connection that is one too many cannot even be refused. */
function warnOfFewFiles({ settings }: Config, log: Log): void {
  const [most, needed] = [openFilesMax(), settings.connectionsMax + OPEN_FILES_SLACK];
  if (most < needed)
    log.warn({ detail: `${most} are allowed, ${needed} needed` }, "open-files-few");
}

/** Once: finish, and exit with 0. Twice: at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGINT", 2],
  ] as const)
    process.on(signal, () => {
      if (isStopping) process.exit(128 + number);
      isStopping = true;
      stop().then(
        () => process.exit(0),
        (cause: unknown) => {
          process.stderr.write(`cannot stop: ${String(cause)}\n`);
          process.exit(EXIT_BUG);
        },
      );
    });
}

/** Where it cannot be had, commands that need it say so, and the server goes on without. */
async function adminSocket(server: EmbeddedServer, { dataFolder }: Config, log: Log) {
  const { invitations, settings } = server;
  try {
    return await openAdminSocket(createAdminHttp({ invitations, settings }), dataFolder);
  } catch (cause) {
    log.warn({ err: cause }, "admin-socket-failed");
    return undefined;
  }
}

async function greet(server: EmbeddedServer, config: Config, port: number): Promise<void> {
  const isInvited = config.settings.signUp === "invitation";
  const invitation = isInvited ? await server.invitations.first() : undefined;
  process.stdout.write(greeting({ config, port, invitation }));
}
