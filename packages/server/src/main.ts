import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { compose, DataFolderError, DataFolderInUseError, pinoLog } from "./compose.ts";
import { type Config, loopbackOrigins, readConfig, USAGE, UsageError } from "./config.ts";
import { createHttp } from "./gateway/http.ts";
import { attachWebSocket } from "./gateway/websocket.ts";

const NODE_MAJOR_MIN = 24;
// sysexits.h: what went wrong, for whoever started this.
const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;
const EXIT_BUG = 70;
const EXIT_IO = 74;
const EXIT_TRY_AGAIN = 75;
const EXIT_CONFIG = 78;

await main();

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN)
    return fail(
      EXIT_UNAVAILABLE,
      `Parley needs Node ${NODE_MAJOR_MIN} or newer (this is ${process.version}): npm ci brings it, and npm start uses it`,
    );
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    if (config === "help") process.stdout.write(USAGE);
    else await run(config);
  } catch (cause) {
    if (cause instanceof UsageError) fail(EXIT_USAGE, `${cause.message}\n\n${USAGE}`);
    else if (cause instanceof DataFolderInUseError) fail(EXIT_TRY_AGAIN, cause.message);
    else if (cause instanceof DataFolderError) fail(EXIT_CONFIG, cause.message);
    else if (isListenError(cause)) fail(EXIT_UNAVAILABLE, `cannot listen: ${cause.message}`);
    else throw cause;
  }
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
  server.setOrigins(config.origins.length > 0 ? config.origins : loopbackOrigins(port));
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

function greet({ dataFolder, host, origins }: Config, port: number): void {
  const name = host.includes(":") ? `[${host}]` : host;
  const address = origins[0] ?? `http://${name}:${port}`;
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
