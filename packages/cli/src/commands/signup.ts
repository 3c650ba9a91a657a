import { type MessengerApi, MessengerError } from "@parley/client";
import type { Command } from "commander";
import { tryToConnect, whileReachable } from "../connect.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { EXIT_NOT_ALLOWED, ExitError } from "../exit-status.ts";
import { homeOf, parseServerUrl } from "../home.ts";
import { hostName } from "../host-name.ts";
import { nextCommand } from "../next-command.ts";
import { withNewDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";

interface Options extends DeviceOptions {
  readonly server: string;
  readonly handle: string;
  readonly invitation?: string;
  readonly deviceName?: string;
}

interface Account {
  readonly accountId: string;
  readonly handle: string;
  readonly recoveryCode: string;
}

export function addSignup(parley: Command): void {
  deviceCommand(parley, "signup")
    .description("make an account, with this device as its first")
    .requiredOption("--server <url>", "the server, such as http://127.0.0.1:7420")
    .requiredOption("--handle <name>", "3-32 of a-z, 0-9 and single inner . or _")
    .option("--invitation <code>", "a code, where the server asks for one")
    .option("--device-name <name>", "only your own devices see it (default: this machine's name)")
    .addHelpText(
      "after",
      examples(
        "parley signup --server http://127.0.0.1:7420 --handle alice",
        "parley signup --server https://chat.example.org --handle bot --key-file bot.key --json",
      ),
    )
    .action(signup);
}

async function signup(options: Options): Promise<void> {
  const serverUrl = parseServerUrl(options.server);
  const output = outputOf(options);
  await withNewDevice(options, serverUrl, async ({ messenger }) => {
    // Before the server hears of it: a sign-up that is cut off is taken up again at the same server.
    if (!messenger.account) homeOf(options).rememberServer(serverUrl);
    const account = await accountOf(messenger, options);
    output.print(account, () => welcome(account, options));
    await messenger.confirmRecoveryCode();
    // Others can write from now on: the prekeys are with the server. Else they go there with the next command.
    await tryToConnect(messenger);
  });
}

async function accountOf(messenger: MessengerApi, options: Options): Promise<Account> {
  // Cut off after the server agreed and before the code was shown: it is shown now.
  const recoveryCode = await messenger.pendingRecoveryCode();
  const { account } = messenger;
  if (account && recoveryCode !== undefined && account.handle === options.handle.toLowerCase())
    return { accountId: account.accountId, handle: account.handle, recoveryCode };
  if (account)
    throw new MessengerError("already-signed-up", `${account.handle} has signed up here already`);
  const { handle, invitation, deviceName = hostName() } = options;
  return await whileReachable(
    messenger,
    messenger.signUp({ handle, deviceName, ...(invitation !== undefined && { invitation }) }),
  ).catch((cause: unknown) => {
    if (invitation !== undefined || !isInvitationRefused(cause)) throw cause;
    throw new ExitError(EXIT_NOT_ALLOWED, HOW_TO_BE_INVITED, { cause });
  });
}

const HOW_TO_BE_INVITED =
  "this server takes new accounts by invitation: whoever runs it can give you a code for --invitation CODE";

const isInvitationRefused = (cause: unknown): boolean =>
  cause instanceof MessengerError && cause.code === "invitation-refused";

function welcome({ accountId, handle, recoveryCode }: Account, options: Options): string {
  return [
    `Welcome, ${handle}. Your account: ${accountId}`,
    "",
    `  Recovery code: ${recoveryCode}`,
    "",
    "Write it down and keep it safe: it is shown this once. It alone brings your account back when",
    "this device is lost, and whoever has it is you.",
    "",
    `Next: ${nextCommand("chat HANDLE", options)}`,
  ].join("\n");
}
