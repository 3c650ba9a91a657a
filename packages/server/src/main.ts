import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { compose, DataFolderError, DataFolderInUseError, pinoLog } from "./compose.ts";
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
import { createHttp } from "./gateway/http.ts";
import { attachWebSocket } from "./gateway/websocket.ts";

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
    default:
      return fail(EXIT_USAGE, `${command} is none of serve, config\n\n${usage()}`);
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
  const server = compose(config.settings, {
    dataFolder: config.dataFolder,
    log,
    // At once, in the same turn: nothing that was not written may be answered.
    onFatal: (cause) => {
      log.error({ err: cause }, "disk-failed");
      process.exit(EXIT_IO);
    },
  });
  const http = createHttp();
  const webSocket = attachWebSocket(http.server, server);
  await http.listen({ host: config.host, port: config.port });
  const { port } = http.server.address() as AddressInfo;
  const { origins } = config.settings;
  server.setOrigins(origins.length > 0 ? origins : loopbackOrigins(port));
  stopOnSignal(async () => {
    log.info({ connections: server.connectionCount() }, "stopping");
    await Promise.all([server.stop(), webSocket.close(), http.close()]);
    log.info({}, "stopped");
  });
  log.info({ port }, "listening");
  greet(config, port);
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

function greet({ dataFolder, host, settings }: Config, port: number): void {
  const name = host.includes(":") ? `[${host}]` : host;
  const address = settings.origins[0] ?? `http://${name}:${port}`;
  process.stdout.write(
    `Parley listens on http://${name}:${port}\n` +
      `Data folder: ${resolve(dataFolder)}\n` +
      `Next, in another terminal: npx parley signup --server ${address} --handle NAME\n`,
  );
}

function isListenError(cause: unknown): cause is NodeJS.ErrnoException {
  return (cause as NodeJS.ErrnoException).syscall === "listen";
}

function fail(code: number, message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
