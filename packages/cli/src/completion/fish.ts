import { type CommandNode, commandsOf, type OptionNode } from "./command-tree.ts";

/** As a file `parley.fish` in fish's folder of completions, or piped into `source`. */
export function fishCompletion(tree: CommandNode): string {
  const { name } = tree;
  const commands = commandsOf(tree);
  const steps = commands.slice(1).map(({ step }) => step);
  return `# ${name} for fish: ${name} completion fish | source
function __${name}_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch "$at:$word"
      case ${steps.map(quoted).join(" ")}
        set at (string trim "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
complete -c ${name} -f
${commands.flatMap((each) => lines(name, each)).join("\n")}
`;
}

function lines(program: string, { path, commands, choices, options }: CommandNode): string[] {
  const start = `complete -c ${program} -n ${quoted(`__${program}_at "${path}"`)}`;
  return [
    ...commands.map((each) => `${start} -a ${each.name} -d ${quoted(each.description)}`),
    ...choices.map((each) => `${start} -a ${each}`),
    ...options.map(
      (each) =>
        `${start} -l ${each.flag.slice(2)}${completed(each)} -d ${quoted(each.description)}`,
    ),
  ];
}

function completed({ value }: OptionNode): string {
  switch (value.kind) {
    case "file":
      return " -r -F";
    case "folder":
      return " -x -a '(__fish_complete_directories)'";
    case "choice":
      return ` -x -a ${quoted(value.choices.join(" "))}`;
    case "text":
      return " -x";
    case "none":
      return "";
  }
}

/** In single quotes fish knows two escapes. */
const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
