import type { Command } from "commander";
import { tryToConnect } from "../connect.ts";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { withDevice } from "../open-messenger.ts";
import { note, outputOf } from "../output.ts";
import { historyObject, messageRows } from "../show.ts";
import { styleFor } from "../style.ts";
import { count } from "./numbers.ts";

interface Options extends DeviceOptions {
  readonly last?: number;
  readonly offline?: true;
}

export function addHistory(parley: Command): void {
  deviceCommand(parley, "history <handle>")
    .description("the conversation in the order of the screen; nothing is marked as read")
    .option("--last <count>", "only the newest", count)
    .option("--offline", "what is on this device, without asking the server for news")
    .addHelpText(
      "after",
      examples("parley history bob --last 20", "parley history bob --json | jq -r .text"),
    )
    .action(history);
}

async function history(handle: string, options: Options): Promise<void> {
  const output = outputOf(options);
  const style = styleFor(process.stdout);
  await withDevice(options, async ({ messenger }) => {
    if (!options.offline && !(await tryToConnect(messenger)))
      note(output, "(the server cannot be reached: this is what is on this device)");
    const { accountId } = await contactOf(messenger, handle);
    const limit = options.last === undefined ? {} : { limit: options.last };
    const messages = await messenger.history(accountId, limit);
    for (const message of messages)
      output.print(historyObject(message), () => messageRows(message, style).join("\n"));
  });
}
