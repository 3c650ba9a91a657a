import type { ShownContact } from "@parley/client";
import type { Command } from "commander";
import { tryToConnect } from "../connect.ts";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { type OpenDevice, withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";

export function addContacts(parley: Command): void {
  const contacts = deviceCommand(parley, "contacts")
    .description("whom this device knows; accept, block or name them")
    .addHelpText("after", examples("parley contacts", "parley contacts accept bob"))
    .action(list);
  deviceCommand(contacts, "accept <handle>")
    .description("accept a request: from now on its sender sees what is delivered and read")
    .action((handle: string, _: DeviceOptions, command: Command) =>
      change(handle, command, ({ messenger }, accountId) => messenger.acceptContact(accountId)),
    );
  deviceCommand(contacts, "block <handle>")
    .description("show nothing more of this account; it is not told")
    .action((handle: string, _: DeviceOptions, command: Command) =>
      change(handle, command, ({ messenger }, accountId) => messenger.blockContact(accountId)),
    );
  deviceCommand(contacts, "name <handle> <name>")
    .description("a name of your own, that stays on your devices")
    .action((handle: string, name: string, _: DeviceOptions, command: Command) =>
      change(handle, command, ({ messenger }, accountId) => messenger.nameContact(accountId, name)),
    );
}

async function list(options: DeviceOptions): Promise<void> {
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    await tryToConnect(messenger);
    for (const contact of await messenger.contacts())
      output.print(contactObject(contact), () => contactLine(contact));
  });
}

async function change(
  handle: string,
  command: Command,
  make: (device: OpenDevice, accountId: string) => Promise<void>,
): Promise<void> {
  // Options may stand before `accept` or behind it.
  const options = command.optsWithGlobals<DeviceOptions>();
  const output = outputOf(options);
  await withDevice(options, async (device) => {
    const { messenger } = device;
    // What was decided is kept without the server too; with it, receipts that were held back go out.
    await tryToConnect(messenger);
    const { accountId } = await contactOf(messenger, handle);
    await make(device, accountId);
    const changed = (await messenger.contacts()).find((one) => one.accountId === accountId);
    if (changed) output.print(contactObject(changed), () => contactLine(changed));
  });
}

function contactObject({ accountId, handle, localName, state, trust, unread }: ShownContact) {
  return { accountId, handle, localName, state, trust, unread };
}

function contactLine({ accountId, handle, localName, state, trust, unread }: ShownContact): string {
  const name = localName === undefined ? "" : ` (${neutraliseLine(localName)})`;
  const news = unread > 0 ? `, ${unread} unread` : "";
  return `${handle ?? accountId}${name}  ${state}, ${trust}${news}`;
}
