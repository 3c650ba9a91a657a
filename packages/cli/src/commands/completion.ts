import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { commandTree } from "../completion/command-tree.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { examples } from "../device-command.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
type Shell = keyof typeof SHELLS;

export function addCompletion(parley: Command): void {
  parley
    .command("completion")
    .description("a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      examples(
        'eval "$(parley completion bash)"                      # in ~/.bashrc; zsh likewise',
        "parley completion fish > ~/.config/fish/completions/parley.fish",
      ),
    )
    .action((shell: Shell) => void process.stdout.write(SHELLS[shell](commandTree(parley))));
}
