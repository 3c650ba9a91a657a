import type { Command } from "commander";
import { followArrivals } from "../arrivals.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { liveLine, liveObject } from "../live.ts";
import { type OpenDevice, withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";
import { eventLine, eventObject, messageObject, messageRows } from "../show.ts";
import { untilStopped } from "../stopped.ts";
import { styleFor } from "../style.ts";
import { count, seconds } from "./numbers.ts";

interface Options extends DeviceOptions {
  readonly count?: number;
  readonly for?: number;
  readonly unread?: true;
  readonly live?: true;
}

export function addListen(parley: Command): void {
  deviceCommand(parley, "listen")
    .description("put out what arrived since it last ran, then what arrives")
    .option("--count <n>", "end after so many messages", count)
    .option("--for <seconds>", "end after that time", seconds)
    .option("--unread", "what is put out stays unread (messages from strangers always do)")
    .option("--live", "who is typing too, as long as it lasts")
    .addHelpText(
      "after",
      examples(
        "parley listen",
        "parley listen --json --count 1 --for 60",
        "parley listen --json | jq -r 'select(.type == \"message\") | .text'",
      ),
    )
    .action(listen);
}

async function listen(options: Options): Promise<void> {
  await withDevice(options, (device) => listenOn(device, options));
}

async function listenOn(device: OpenDevice, options: Options): Promise<void> {
  const output = outputOf(options);
  const style = styleFor(process.stdout);
  const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const following = followArrivals(device, {
    keepUnread: options.unread === true,
    ready: () => output.print({ type: "ready" }, () => style.dim("listening, ^C ends")),
    message: (message) => {
      if (left === 0) return false;
      output.print(messageObject(message), () => messageRows(message, style).join("\n"));
      left -= 1;
      if (left === 0) end();
      return true;
    },
    event: (event) => {
      if (left > 0) output.print(eventObject(event), () => eventLine(event, style));
    },
    live:
      options.live &&
      ((event) => left > 0 && output.print(liveObject(event), () => liveLine(event, style))),
    failed: fail,
  });
  let timer: NodeJS.Timeout | undefined;
  const started = following.started.then(() => {
    if (options.for !== undefined) timer = setTimeout(end, options.for * 1000);
    return over;
  });
  try {
    await Promise.race([started, over, untilStopped()]);
  } finally {
    clearTimeout(timer);
    await following.stop();
  }
}
