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
import { configCommand } from "./config/config-command.ts";
import { ConfigError } from "./config/config-error.ts";
import { readConfig } from "./config/read-config.ts";
import { usage } from "./config/usage.ts";
import {
  EXIT_BUG,
  EXIT_CONFIG,
  EXIT_IO,
  EXIT_TRY_AGAIN,
  EXIT_UNAVAILABLE,
  EXIT_USAGE,
} from "./exit-status.ts";
import { createAdminHttp } from "./gateway/admin-http.ts";
import { createHttp } from "./gateway/http.ts";
import { attachWebSocket } from "./gateway/websocket.ts";
import { greeting } from "./greeting.ts";
import { openInternalPort } from "./internal-port.ts";
import { OPEN_FILES_SLACK, openFilesMax } from "./open-files.ts";
import type { Log } from "./ports/log.ts";

const NODE_MAJOR_MIN = 24;

await main();

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN)
    return fail(
      EXIT_UNAVAILABLE,
      `Parley needs Node ${NODE_MAJOR_MIN} or newer (this is ${process.version}): npm ci brings it, and npm start uses it`,
    );
  try {
    await obey(process.argv.slice(2));
  } catch (cause) {
    if (cause instanceof ConfigError)
      fail(
        cause.isUsage ? EXIT_USAGE : EXIT_CONFIG,
        `${cause.message}\n(--help lists the options; config check looks at the rest too)`,
      );
    else if (cause instanceof DataFolderInUseError) fail(EXIT_TRY_AGAIN, cause.message);
    else if (cause instanceof DataFolderError) fail(EXIT_CONFIG, cause.message);
    else if (isListenError(cause)) fail(EXIT_UNAVAILABLE, `cannot listen: ${cause.message}`);
    else throw cause;
  }
}

/** The first word names what is to be done; without one it is the server. */
async function obey(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args[0]?.startsWith("-") === false ? args : ["serve", ...args];
  switch (command) {
    case "serve": {
      const read = readConfig(rest, process.env);
      return read === "help" ? printUsage() : run(read.config);
    }
    case "config": {
      const printed = configCommand(rest, process.env);
      if (printed === "help") return printUsage();
      process.stdout.write(printed.output);
      process.exitCode = printed.status;
      return undefined;
    }
    case "doctor": {
      const { doctorCommand } = await import("./doctor/doctor-command.ts");
      const status = await doctorCommand(rest, process.env, (text) => process.stdout.write(text));
      if (status === "help") return printUsage();
      process.exitCode = status;
      return undefined;
    }
    default:
      return fail(EXIT_USAGE, `${command} is none of serve, config, doctor\n\n${usage()}`);
  }
}

function printUsage(): void {
  process.stdout.write(usage());
}

async function run(config: Config): Promise<void> {
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
        (cause: unknown) => fail(EXIT_BUG, `cannot stop: ${String(cause)}`),
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

function isListenError(cause: unknown): cause is NodeJS.ErrnoException {
  return (cause as NodeJS.ErrnoException).syscall === "listen";
}

function fail(code: number, message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
