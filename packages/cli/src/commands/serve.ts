import type { Command } from "commander";
import { examples } from "../device-command.ts";
import { serverCommand, serverOptions } from "../server-command.ts";

export function addServe(parley: Command): void {
  serverOptions(serverCommand(parley, "serve"))
    .description("run a server with everything embedded, until it is stopped")
    .addHelpText(
      "after",
      "\nEvery other setting is --SECTION.KEY: parley config default lists them.",
    )
    .addHelpText("after", examples("parley serve", "parley serve --data /srv/parley --port 7420"));
}
