import type { MessageStatus, MessengerApi } from "@parley/client";
import { type Command, Option } from "commander";
import { connect, whileReachable } from "../connect.ts";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { EXIT_REFUSED_INPUT, EXIT_TRY_AGAIN, EXIT_UNREACHABLE, ExitError } from "../exit-status.ts";
import { withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";
import { styleFor } from "../style.ts";
import { seconds } from "./numbers.ts";

interface Options extends DeviceOptions {
  readonly wait: "sent" | "delivered" | "read";
  readonly timeout?: number;
}

export function addSend(parley: Command): void {
  deviceCommand(parley, "send <handle> <text>")
    .description("send one message; - reads it from standard input, to the byte")
    .addOption(
      new Option("--wait <status>", "until it has come so far")
        .choices(["sent", "delivered", "read"])
        .default("sent"),
    )
    .option("--timeout <seconds>", "how long to wait for that at most (then: 75)", seconds)
    .addHelpText(
      "after",
      examples(
        'parley send bob "On my way"',
        "git log -1 | parley send bob - --wait read --timeout 600",
      ) +
        "\n\nStatus 69: nothing was saved, try again. Status 75 with a message id: it is saved on this" +
        "\ndevice, and goes out with the next command that connects.",
    )
    .action(send);
}

async function send(handle: string, text: string, options: Options): Promise<void> {
  const output = outputOf(options);
  const content = text === "-" ? await standardInput() : text;
  await withDevice(options, async ({ messenger }) => {
    await connect(messenger);
    const { accountId } = await contactOf(messenger, handle);
    const { messageId } = await messenger.sendText(accountId, content);
    const status = await progress(messenger, messageId, options);
    output.print({ messageId, status }, () => `${styleFor(process.stdout).tick(status)} ${status}`);
    if (!reaches(status, options.wait))
      throw new ExitError(EXIT_TRY_AGAIN, `saved, and ${status} so far`);
  });
}

/** How far the message came in the time that it was given. */
async function progress(
  messenger: MessengerApi,
  messageId: string,
  { wait, timeout }: Options,
): Promise<MessageStatus> {
  let reached: MessageStatus = "queued";
  const unsubscribe = messenger.on((event) => {
    if (event.type === "status" && event.messageId === messageId) reached = event.status;
  });
  try {
    const sent = whileReachable(messenger, messenger.reached(messageId, "sent"));
    const all = sent.then((status) =>
      reaches(status, wait) ? status : messenger.reached(messageId, wait),
    );
    if (timeout === undefined) return await all;
    return await Promise.race([all, after(timeout * 1000).then(() => reached)]);
  } catch (cause) {
    // The server went away after the message was saved: it is not lost, and must not be sent again.
    if (cause instanceof ExitError && cause.status === EXIT_UNREACHABLE) return reached;
    throw cause;
  } finally {
    unsubscribe();
  }
}

const WAY: readonly MessageStatus[] = ["queued", "sent", "delivered", "read"];

function reaches(status: MessageStatus, wanted: MessageStatus): boolean {
  return WAY.indexOf(status) >= WAY.indexOf(wanted);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new ExitError(EXIT_REFUSED_INPUT, "standard input is no text in UTF-8");
  }
}
