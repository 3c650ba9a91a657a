import type { PresenceSettings, Visibility } from "@parley/client";
import { type Command, Option } from "commander";
import { tryToConnect } from "../connect.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";

interface Options extends DeviceOptions {
  readonly visible?: Visibility;
  readonly lastSeen?: "on" | "off";
}

export function addPresence(parley: Command): void {
  deviceCommand(parley, "presence")
    .description("who sees when you are online, and when you were last")
    .addOption(
      new Option("--visible <who>", "who sees it").choices(["everyone", "contacts", "nobody"]),
    )
    .addOption(
      new Option("--last-seen <state>", "whether they see when you were last").choices([
        "on",
        "off",
      ]),
    )
    .addHelpText(
      "after",
      `
Everyone: whoever you ever wrote to or let in, but for those you blocked since. Contacts: whom you know now.
Whoever hides does not see, and when others were last online is shown to those who show it themselves.
Online is who has a chat open on a terminal; send, listen and other commands show nothing.
${examples("parley presence", "parley presence --visible nobody", "parley presence --visible contacts --last-seen off")}`,
    )
    .action(presence);
}

async function presence({ visible, lastSeen, ...options }: Options): Promise<void> {
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    const before = await messenger.presenceSettings();
    const settings = {
      visible: visible ?? before.visible,
      lastSeen: lastSeen === undefined ? before.lastSeen : lastSeen === "on",
    };
    if (visible !== undefined || lastSeen !== undefined) {
      // What was decided is kept without the server too: it is told as soon as there is one.
      await tryToConnect(messenger);
      await messenger.setPresence(settings);
    }
    output.print(settings, () => line(settings));
  });
}

const WHO: Record<Visibility, string> = {
  everyone: "everyone who was given your key sees",
  contacts: "contacts see",
  nobody: "nobody sees",
};

function line({ visible, lastSeen }: PresenceSettings): string {
  if (visible === "nobody") return `${WHO.nobody} when you are online, and you see nobody`;
  return `${WHO[visible]} when you are online${lastSeen ? ", and when you were last" : ""}`;
}
