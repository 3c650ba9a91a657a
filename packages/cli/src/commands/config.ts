import type { Command } from "commander";
import { examples } from "../device-command.ts";
import { serverCommand, serverOptions } from "../server-command.ts";

export function addConfig(parley: Command): void {
  const config = parley
    .command("config")
    .description("the configuration of a server: check it, show it, list every setting")
    .addHelpText(
      "after",
      examples(
        "parley config default > parley.toml",
        "parley config check --config parley.toml",
        "PARLEY__LOG__LEVEL=debug parley config show",
      ),
    );
  serverOptions(serverCommand(config, "check"))
    .description("everything that is wrong, at once (then: 78, or 64 where it is an option)")
    .option("--json", "one JSON object");
  serverOptions(serverCommand(config, "show"))
    .description("every setting, as it counts, and where it comes from")
    .option("--json", "one JSON object a line");
  serverCommand(config, "default").description("a TOML file with every setting, commented out");
  serverCommand(config, "docs").description("the same as documentation, in Markdown");
}
