import type { Argument, Command, Option } from "commander";

/** What a shell may complete of a command, read off commander's own program. */
export interface CommandNode {
  /** From the program's name, without it: `config check`. Empty for the program itself. */
  readonly path: string;
  /** The word that leads here, behind the path above: `config:check`. */
  readonly step: string;
  readonly name: string;
  readonly description: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  /** What its first argument may be, where there is a list. */
  readonly choices: readonly string[];
}

export interface OptionNode {
  /** As it is typed: `--data`. */
  readonly flag: string;
  readonly description: string;
  readonly value: Value;
}

export type Value =
  | { readonly kind: "none" | "file" | "folder" | "text" }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

export function commandTree(program: Command): CommandNode {
  return nodeOf(program, "", "");
}

function nodeOf(command: Command, path: string, step: string): CommandNode {
  const below = (each: Command) => {
    const name = each.name();
    return nodeOf(each, path === "" ? name : `${path} ${name}`, `${path}:${name}`);
  };
  return {
    path,
    step,
    name: command.name(),
    description: command.description(),
    commands: command.commands.map(below),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionNode), HELP],
    choices: choicesOf(command.registeredArguments[0]),
  };
}

/** The tree as a list, the program first. */
export function commandsOf(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(commandsOf)];
}

const HELP: OptionNode = { flag: "--help", description: "what it does", value: { kind: "none" } };

function optionNode(option: Option): OptionNode {
  const { long, short, description } = option;
  return { flag: long ?? short ?? "", description, value: valueTaken(option) };
}

function valueTaken({ flags, required, optional, argChoices }: Option): Value {
  if (!required && !optional) return { kind: "none" };
  if (argChoices !== undefined) return { kind: "choice", choices: argChoices };
  if (flags.includes("<file>")) return { kind: "file" };
  return { kind: flags.includes("<dir>") ? "folder" : "text" };
}

const choicesOf = (argument: Argument | undefined): readonly string[] => argument?.argChoices ?? [];
