import type { Command } from "commander";

/** What every command that works on this device's data takes. */
export interface DeviceOptions {
  readonly home?: string;
  readonly keyFile?: string;
  readonly json?: true;
}

export function deviceCommand(parent: Command, nameAndArguments: string): Command {
  return parent
    .command(nameAndArguments)
    .option("--home <dir>", "this device's data (default: PARLEY_HOME, else ~/.parley)")
    .option(
      "--key-file <file>",
      "the key of this device's data; made by signup where it is not there",
    )
    .option("--json", "one JSON object a line, nothing else on standard output");
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
