import type { Command } from "commander";
import type { ChatWith } from "../chat/chat-with.ts";
import { jsonChat } from "../chat/json-chat.ts";
import { lineChat } from "../chat/line-chat.ts";
import { terminalChat } from "../chat/terminal-chat.ts";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { withDevice } from "../open-messenger.ts";

export function addChat(parley: Command): void {
  deviceCommand(parley, "chat <handle>")
    .description("talk with somebody")
    .option("--live", "with --json: who is online or typing too, as long as it lasts")
    .addHelpText(
      "after",
      `
Ticks: ◷ saved here  ✓ the server has it  ✓✓ on the other's device  blue ✓✓ read
In the chat /help names what else can be typed; ^D ends.

Without a terminal each line of standard input is a message, and what arrives is put out a line each.
With --json each line of standard input is {"text": …, "ref"?: any, "replyTo"?: message id}, answered by
{"type":"status","messageId":…,"status":"queued","ref"?:…} once it is saved, or {"type":"refused",…};
else it puts out what "parley listen --json" does; with --live what "parley watch --json" does too, and
{"typing": "typing"|"recording"|"stopped"} is told. At the end of the input it waits until all is sent.
${examples("parley chat bob", "parley chat bob --json < messages.jsonl")}`,
    )
    .action(chat);
}

interface Options extends DeviceOptions {
  readonly live?: true;
}

async function chat(handle: string, options: Options): Promise<void> {
  await withDevice(options, async (device) => {
    const contact = await contactOf(device.messenger, handle);
    const chatting: ChatWith = { device, ...contact };
    const onTerminal =
      process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb";
    if (options.json) await jsonChat(chatting, options);
    else if (onTerminal) await terminalChat(chatting);
    else await lineChat(chatting);
  });
}
