import type { Linking } from "@parley/client";
import type { Command } from "commander";
import { connect } from "../connect.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { EXIT_NOT_ALLOWED, EXIT_USAGE, ExitError } from "../exit-status.ts";
import { homeOf, parseServerUrl } from "../home.ts";
import { hostName } from "../host-name.ts";
import { nextCommand } from "../next-command.ts";
import { withDevice, withNewDevice } from "../open-messenger.ts";
import { note, type Output, outputOf } from "../output.ts";
import { readLine } from "../read-line.ts";

interface Options extends DeviceOptions {
  readonly server?: string;
  readonly deviceName?: string;
}

/** To look at the other screen and type six digits. */
const DIGITS_WITHIN_MS = 60_000;

export function addLink(parley: Command): void {
  deviceCommand(parley, "link [code]")
    .description(
      "a further device for your account: --server on the new one, its code on the old one",
    )
    .option("--server <url>", "on the new device: where the account is")
    .option("--device-name <name>", "only your own devices see it (default: this machine's name)")
    .addHelpText(
      "after",
      examples(
        "parley link --server https://chat.example.org     # the new device shows a code",
        "parley link 7K2M-…                                # the old one takes it",
      ),
    )
    .action(link);
}

async function link(code: string | undefined, options: Options): Promise<void> {
  const { server } = options;
  if ((code === undefined) === (server === undefined))
    throw new ExitError(
      EXIT_USAGE,
      "on the new device: parley link --server URL; on the old one: parley link CODE",
    );
  if (code !== undefined) await takeIn(code, options);
  else if (server !== undefined) await offer(parseServerUrl(server), options);
}

async function offer(serverUrl: string, options: Options): Promise<void> {
  const output = outputOf(options);
  await withNewDevice(options, serverUrl, async ({ messenger }) => {
    const { deviceName = hostName() } = options;
    const offered = await messenger.offerDevice({ deviceName });
    const { code } = offered;
    output.print({ code }, () =>
      [`On a device of your account, within a minute:`, "", `  parley link ${code}`, ""].join("\n"),
    );
    const linked = await compare(output, offered);
    homeOf(options).rememberServer(serverUrl);
    output.print(linked, () =>
      [
        `This is now device ${linked.deviceId} of ${linked.handle}.`,
        `Next: ${nextCommand("contacts", options)}`,
      ].join("\n"),
    );
  });
}

async function takeIn(code: string, options: Options): Promise<void> {
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    await connect(messenger);
    const linked = await compare(output, await messenger.linkDevice(code));
    output.print(linked, () => `Linked as device ${linked.deviceId}.`);
  });
}

/** Both sides show digits, and each is told the other's: somebody in between would have to show two. */
async function compare<Linked>(output: Output, linking: Linking<Linked>): Promise<Linked> {
  const digits = await linking.digits();
  output.print({ digits }, () => `This device shows   ${digits}`);
  note(output, "Type the six digits that the other device shows:");
  const typed = await readLine(DIGITS_WITHIN_MS);
  if (typed === undefined)
    throw new ExitError(EXIT_NOT_ALLOWED, "no digits were typed in time: nothing was linked");
  return await linking.confirm(typed);
}
