import { type CommandNode, commandsOf, type OptionNode } from "./command-tree.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** As a line of ~/.zshrc, or as a file `_parley` in a folder of `fpath`. */
export function zshCompletion(tree: CommandNode): string {
  const { name } = tree;
  const commands = commandsOf(tree);
  const steps = commands.slice(1).map(({ step }) => step);
  return `#compdef ${name}
# ${name} for zsh: eval "$(${name} completion zsh)"
_${name}() {
  local at="" word before=\${words[CURRENT-1]}
  local -a offered
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$at:$word" in
      ${steps.map(shellQuoted).join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at:$before" in
${commands.flatMap(valueCases).join("\n")}
  esac
  case "$at" in
${commands.map((each) => `    ${shellQuoted(each.path)}) offered=(${wordsOf(each).join(" ")}) ;;`).join("\n")}
  esac
  _describe ${shellQuoted(name)} offered
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function wordsOf({ commands, choices, options }: CommandNode): string[] {
  return [
    ...commands.map(({ name, description }) => described(name, description)),
    ...choices.map(shellQuoted),
    ...options.map(({ flag, description }) => described(flag, description)),
  ];
}

/** `_describe` takes the first colon as the end of the word. */
const described = (word: string, description: string) => shellQuoted(`${word}:${description}`);

function valueCases({ path, options }: CommandNode): string[] {
  return options
    .filter(({ value }) => value.kind !== "none")
    .map((each) => `    ${shellQuoted(`${path}:${each.flag}`)}) ${completed(each)}return ;;`);
}

function completed({ value }: OptionNode): string {
  switch (value.kind) {
    case "file":
      return "_files; ";
    case "folder":
      return "_files -/; ";
    case "choice":
      return `compadd -- ${value.choices.map(shellQuoted).join(" ")}; `;
    case "none":
    case "text":
      return "";
  }
}
