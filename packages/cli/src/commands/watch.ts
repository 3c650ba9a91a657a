import type { Command } from "commander";
import { connect, endedError } from "../connect.ts";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { EXIT_NOT_ALLOWED, EXIT_USAGE, ExitError } from "../exit-status.ts";
import { isLive, type LiveEvent, liveLine, liveObject } from "../live.ts";
import { nextCommand } from "../next-command.ts";
import { type OpenDevice, withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";
import { untilStopped } from "../stopped.ts";
import { styleFor } from "../style.ts";
import { seconds } from "./numbers.ts";

interface Options extends DeviceOptions {
  readonly for?: number;
}

/** Of one connection, by the protocol. */
const WATCHED_MAX = 64;

export function addWatch(parley: Command): void {
  deviceCommand(parley, "watch <handle...>")
    .description("who of them is online, when they were last, and who is typing to you")
    .option("--for <seconds>", "end after that time", seconds)
    .addHelpText(
      "after",
      `
Shown of contacts who let you see it (parley presence), once each of you has a message of the other.
With --json: {"type":"ready"}, then {"type":"presence","handle":…,"online":…,"lastSeenAt":milliseconds|null}
and {"type":"typing","conversation":…,"from":…,"state":"typing"|"recording"|"stopped"}.
${examples("parley watch bob carol", "parley watch bob --json --for 60")}`,
    )
    .action(watch);
}

async function watch(handles: readonly string[], options: Options): Promise<void> {
  if (handles.length > WATCHED_MAX)
    throw new ExitError(EXIT_USAGE, `at most ${WATCHED_MAX} people can be watched at once`);
  await withDevice(options, (device) => watchOn(device, handles, options));
}

async function watchOn(
  { messenger }: OpenDevice,
  handles: readonly string[],
  options: Options,
): Promise<void> {
  if ((await messenger.presenceSettings()).visible === "nobody")
    throw new ExitError(
      EXIT_NOT_ALLOWED,
      `whoever hides does not see: ${nextCommand("presence --visible contacts", options)}`,
    );
  const output = outputOf(options);
  const style = styleFor(process.stdout);
  await connect(messenger);
  const ids = new Set<string>();
  for (const handle of handles) ids.add((await contactOf(messenger, handle)).accountId);
  const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
  const unsubscribe = messenger.on((event) => {
    if (event.type === "connection" && event.state.kind === "ended")
      fail(endedError(event.state.reason));
    if (isLive(event) && ids.has(accountOf(event)))
      output.print(liveObject(event), () => liveLine(event, style));
  });
  output.print({ type: "ready" }, () => style.dim("watching, ^C ends"));
  const timer = options.for === undefined ? undefined : setTimeout(end, options.for * 1000);
  try {
    await Promise.race([messenger.watchPresence([...ids]).then(() => over), untilStopped()]);
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}

function accountOf(event: LiveEvent): string {
  return event.type === "typing" ? event.from : event.accountId;
}
