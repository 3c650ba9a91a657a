import type { ShownDevice } from "@parley/client";
import type { Command } from "commander";
import { connect, tryToConnect, whileReachable } from "../connect.ts";
import { type DeviceOptions, deviceCommand, examples } from "../device-command.ts";
import { EXIT_USAGE, ExitError } from "../exit-status.ts";
import { withDevice } from "../open-messenger.ts";
import { outputOf } from "../output.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";

export function addDevices(parley: Command): void {
  const devices = deviceCommand(parley, "devices")
    .description("the devices of your account; remove one that is lost")
    .addHelpText("after", examples("parley devices", "parley devices remove 2"))
    .action(list);
  deviceCommand(devices, "remove <id>")
    .description("shut a device out: it gets nothing more, and nothing that it sends is shown")
    .action(remove);
}

async function list(options: DeviceOptions): Promise<void> {
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    await tryToConnect(messenger);
    for (const device of await messenger.devices())
      output.print(deviceObject(device), () => deviceLine(device));
  });
}

async function remove(typed: string, _: DeviceOptions, command: Command): Promise<void> {
  const deviceId = Number(typed);
  if (!Number.isInteger(deviceId) || deviceId < 1)
    throw new ExitError(EXIT_USAGE, `${typed} is no number of a device: see parley devices`);
  // Options may stand before `remove` or behind it.
  const options = command.optsWithGlobals<DeviceOptions>();
  const output = outputOf(options);
  await withDevice(options, async ({ messenger }) => {
    await connect(messenger);
    await whileReachable(messenger, messenger.removeDevice(deviceId));
    for (const device of await messenger.devices())
      output.print(deviceObject(device), () => deviceLine(device));
  });
}

function deviceObject({ deviceId, name, linkedAtMs, thisDevice }: ShownDevice): object {
  return { deviceId, name, linkedAt: new Date(linkedAtMs).toISOString(), thisDevice };
}

function deviceLine({ deviceId, name, linkedAtMs, thisDevice }: ShownDevice): string {
  const day = new Date(linkedAtMs).toISOString().slice(0, 10);
  const shown = name === undefined ? "(no name)" : neutraliseLine(name);
  return `${String(deviceId).padStart(3)}  ${shown}  since ${day}${thisDevice ? "  (this device)" : ""}`;
}
