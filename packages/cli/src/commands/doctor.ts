import type { Command } from "commander";
import { examples } from "../device-command.ts";
import { serverCommand, serverOptions } from "../server-command.ts";

export function addDoctor(parley: Command): void {
  serverOptions(serverCommand(parley, "doctor"))
    .description("look at a server's machine, folder, store and address, and say what to do")
    .option("--hold <seconds>", "keep a connection open so long, to find a proxy that cuts it")
    .option("--json", "one JSON object a line")
    .addHelpText("after", "\nStatus 0: no problem (there may be warnings), 1: a problem.")
    .addHelpText(
      "after",
      examples("parley doctor --data /srv/parley", "parley doctor --hold 70 --json"),
    );
}
