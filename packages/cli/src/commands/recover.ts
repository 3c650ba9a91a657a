import type { Command } from "commander";
import { tryToConnect, whileReachable } from "../connect.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { homeOf, parseServerUrl } from "../home.ts";
import { hostName } from "../host-name.ts";
import { nextCommand } from "../next-command.ts";
import { withNewDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";

interface Options extends DeviceOptions {
  readonly server: string;
  readonly code: string;
  readonly keepDevices?: true;
  readonly deviceName?: string;
}

export function addRecover(parley: Command): void {
  deviceCommand(parley, "recover")
    .description("get your account back by its recovery code: all its other devices are shut out")
    .requiredOption("--server <url>", "where the account is")
    .requiredOption("--code <code>", "the recovery code, as sign-up showed it")
    .option("--keep-devices", "they stay")
    .option("--device-name <name>", "only your own devices see it (default: this machine's name)")
    .addHelpText(
      "after",
      examples("parley recover --server https://chat.example.org --code 7K2M-…"),
    )
    .action(recover);
}

async function recover(options: Options): Promise<void> {
  const serverUrl = parseServerUrl(options.server);
  const output = outputOf(options);
  await withNewDevice(options, serverUrl, async ({ messenger }) => {
    const { code, keepDevices = false, deviceName = hostName() } = options;
    const recovering = messenger.recover({ code, keepDevices, deviceName });
    const recovered = await whileReachable(messenger, recovering);
    homeOf(options).rememberServer(serverUrl);
    output.print(recovered, () =>
      [
        `This is now device ${recovered.deviceId} of ${recovered.handle}${keepDevices ? "" : ", and the only one"}.`,
        `Next: ${nextCommand("devices", options)}`,
      ].join("\n"),
    );
    // Others can write from now on: the prekeys are with the server.
    await tryToConnect(messenger);
  });
}
