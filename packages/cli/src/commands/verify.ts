import type { Command } from "commander";
import { contactOf } from "../contact-of.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { nextCommand } from "../next-command.ts";
import { withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";

interface Options extends DeviceOptions {
  readonly mark?: true;
  readonly unmark?: true;
}

const GROUPS_PER_ROW = 4;

export function addVerify(parley: Command): void {
  deviceCommand(parley, "verify <handle>")
    .description("the safety number that you and the other should both see")
    .option("--mark", "you compared it, and it is the same")
    .option("--unmark", "take that back")
    .addHelpText("after", examples("parley verify bob", "parley verify bob --mark"))
    .action(verify);
}

async function verify(handle: string, options: Options): Promise<void> {
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    const contact = await contactOf(messenger, handle);
    const { digits: safetyNumber } = await messenger.safetyNumber(contact.accountId);
    if (options.mark || options.unmark)
      await messenger.markVerified(contact.accountId, options.mark === true);
    const known = (await messenger.contacts()).find((one) => one.accountId === contact.accountId);
    const trust = known?.trust ?? "unverified";
    output.print({ ...contact, safetyNumber, trust }, () =>
      [
        ...rows(safetyNumber),
        "",
        trust === "verified"
          ? `You have verified ${contact.handle}.`
          : `Compare it with what ${contact.handle} sees, over another way. Then: ${nextCommand(`verify ${contact.handle} --mark`, options)}`,
      ].join("\n"),
    );
  });
}

function rows(safetyNumber: string): string[] {
  const groups = safetyNumber.replaceAll(/\s/g, "").match(/.{5}/g) ?? [];
  return Array.from({ length: Math.ceil(groups.length / GROUPS_PER_ROW) }, (_, row) =>
    groups.slice(row * GROUPS_PER_ROW, (row + 1) * GROUPS_PER_ROW).join(" "),
  );
}
